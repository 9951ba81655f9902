"""The way in from outside the cluster: an Ingress, or a Gateway's HTTPRoute."""

from __future__ import annotations

from typing import Any

from wherry.spec.exposure import Gateway, Ingress
from wherry_operator.desired.container import PORT, present
from wherry_operator.desired.given import Given


def ingress(given: Given, asked: Ingress) -> dict[str, Any]:
    """spec of an Ingress. Without hosts it takes every one."""
    rules = [present(host=host, http={"paths": [_path(given, asked)]}) for host in asked.hosts or ("",)]
    tls = [present(hosts=[*each.hosts], secretName=each.secret_name) for each in asked.tls]
    return {**present(ingressClassName=asked.class_name), "rules": rules, **present(tls=tls)}


def http_route(given: Given, asked: Gateway) -> dict[str, Any]:
    """spec of an HTTPRoute. Without hostnames it takes those of the Gateway's listeners."""
    parents = [
        {"name": each.name, **present(namespace=each.namespace, sectionName=each.section_name, port=each.port)}
        for each in asked.parent_refs
    ]
    backend = {"name": given.name, "port": given.spec.service.port}
    return {
        "parentRefs": parents,
        **present(hostnames=[*asked.hostnames]),
        "rules": [{"backendRefs": [backend]}],
    }


def _path(given: Given, asked: Ingress) -> dict[str, Any]:
    backend = {"service": {"name": given.name, "port": {"name": PORT}}}
    return {"path": asked.path, "pathType": asked.path_type, "backend": backend}
