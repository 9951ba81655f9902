"""Where an http app answers, read from the objects that lead to it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from wherry_operator.manifest import Manifest


def url(name: str, children: Iterable[Manifest]) -> str:
    """The outermost address that is known: a host of the Ingress or HTTPRoute, the load balancer's, the Service's own.

    "" where there is no Service of the app's name.
    """
    known = {child["kind"]: child for child in children if child["metadata"]["name"] == name}
    if "Service" not in known:
        return ""
    outside = _ingress(known.get("Ingress", {})) or _route(known.get("HTTPRoute", {}))
    return outside or _service(known["Service"])


def _ingress(ingress: Manifest) -> str:
    spec = ingress.get("spec") or {}
    for rule in spec.get("rules") or ():
        if _is_one(host := rule.get("host", "")):
            secure = any(host in (each.get("hosts") or ()) for each in spec.get("tls") or ())
            return f"{'https' if secure else 'http'}://{host}{_path(rule)}"
    return ""


def _path(rule: Manifest) -> str:
    paths: Any = (rule.get("http") or {}).get("paths") or ({},)
    path = str(paths[0].get("path", "/"))
    return path if path != "/" and paths[0].get("pathType") != "ImplementationSpecific" else ""


def _route(route: Manifest) -> str:
    """A route does not say how its Gateway listens; the usual port and name of a listener do."""
    spec = route.get("spec") or {}
    parents = spec.get("parentRefs") or ()
    secure = any(each.get("port") == 443 or "https" in each.get("sectionName", "") for each in parents)
    host = next((each for each in spec.get("hostnames") or () if _is_one(each)), "")
    return f"{'https' if secure else 'http'}://{host}" if host else ""


def _service(service: Manifest) -> str:
    meta, spec = service["metadata"], service.get("spec") or {}
    points: Any = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ({},)
    address = (
        points[0].get("hostname") or points[0].get("ip") or f"{meta['name']}.{meta.get('namespace', 'default')}.svc"
    )
    port = next((each.get("port", 80) for each in spec.get("ports") or ()), 80)
    return f"http://{f'[{address}]' if ':' in address else address}{'' if port == 80 else f':{port}'}"


def _is_one(host: str) -> bool:
    """A wildcard is no place to go to."""
    return bool(host) and not host.startswith("*")
