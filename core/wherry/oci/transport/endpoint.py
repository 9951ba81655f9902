"""Where a registry is served: its host as written in references, joined with its entry of the registries file."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

from wherry.errors import InputError
from wherry.oci.reference import DOCKER_HUB
from wherry.oci.registries import Entry
from wherry.oci.transport.addresses import is_loopback_host

DOCKER_HUB_ENDPOINT = "registry-1.docker.io"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """scheme is "" when only asking can tell: a loopback registry without an entry may speak either.

    netloc: `host[:port]`. ca: PEM that is trusted beside the system's roots.
    """

    scheme: str
    netloc: str
    ca: str = ""
    allow_private: bool = False

    @property
    def host(self) -> str:
        """Without the port; IPv6 keeps no brackets."""
        return host_of(self.netloc)

    @property
    def origin(self) -> str:
        """`scheme://netloc`."""
        return f"{self.scheme}://{self.netloc}"


def host_of(netloc: str) -> str:
    """The host of `host[:port]`, lower case, without the brackets of IPv6."""
    if netloc.startswith("["):
        return netloc[1:].partition("]")[0].lower()
    return netloc.partition(":")[0].lower()


def endpoint_of(host: str, entry: Entry | None) -> Endpoint:
    """Raises InputError when the entry's CA file cannot be read."""
    known = entry or Entry()
    scheme, netloc = _split(known.endpoint or (DOCKER_HUB_ENDPOINT if host == DOCKER_HUB else host))
    if not scheme:
        scheme = "http" if known.plain_http else "https"
        if entry is None and is_loopback_host(host_of(netloc)):
            scheme = ""
    return Endpoint(scheme, netloc, _ca(host, known), known.allow_private)


def tls_context(ca: str) -> ssl.SSLContext:
    """The system's roots and ca. Where the system has none (a bare container), those that requests brings."""
    context = ssl.create_default_context()
    paths = ssl.get_default_verify_paths()
    if not paths.cafile and not (paths.capath and any(Path(paths.capath).iterdir())):
        import certifi  # noqa: PLC0415 - only where it is needed: reading it takes longer than a handshake

        context.load_verify_locations(certifi.where())
    try:
        if ca:
            context.load_verify_locations(cadata=ca)
    except (ssl.SSLError, ValueError):
        raise InputError("registries: a CA that is no PEM certificate", cure="mend ca or caFile") from None
    return context


def _split(endpoint: str) -> tuple[str, str]:
    scheme, mark, rest = endpoint.partition("://")
    return (scheme, rest.rstrip("/")) if mark else ("", endpoint)


def _ca(host: str, entry: Entry) -> str:
    if not entry.ca_file:
        return entry.ca
    try:
        return entry.ca_file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not text"
        raise InputError(f"registries: {host}.caFile: {entry.ca_file}: {reason}", cure="name a PEM file") from None
