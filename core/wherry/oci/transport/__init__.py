"""The way to a registry: oras-py's authentication and requests, inside rules that a hostile server cannot bend.

faults: every failure as one RegistryError. patience: how long anything may take. addresses: whom we connect to.
names: hosts into addresses. endpoint: where a registry's host is served. wire: sockets and deadlines.
session: URLs and redirects. auth: challenges and tokens. retry: when to try again. body: bytes as they arrive.
client: a request with all of that. blobs, manifests: the requests of the distribution-spec, one attempt each.
"""
