"""Rendered objects on a real API server: applied as the operator applies them, and read back."""

from __future__ import annotations

from typing import Any

from tests.support.apiserver import Answer, ApiServer, until
from wherry_operator.desired.kinds import HTTP_ROUTE
from wherry_operator.labels import FIELD_MANAGER
from wherry_operator.manifest import Manifest

RUNTIME_CLASSES = ("wherry", "gvisor")
_CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


def path_of(manifest: Manifest, namespace: str) -> str:
    """Of the object itself."""
    version, kind = manifest["apiVersion"], manifest["kind"].lower()
    prefix = "apis" if "/" in version else "api"
    plural = f"{kind}es" if kind.endswith("ss") else f"{kind}s"
    return f"/{prefix}/{version}/namespaces/{namespace}/{plural}/{manifest['metadata']['name']}"


def apply(server: ApiServer, manifest: Manifest, namespace: str = "default", query: str = "") -> Answer:
    """Server-side apply, as the operator does it; an unknown field is refused."""
    path = f"{path_of(manifest, namespace)}?fieldManager={FIELD_MANAGER}&force=true&fieldValidation=Strict{query}"
    metadata = {**manifest["metadata"], "namespace": namespace}
    return server.ask("PATCH", path, {**manifest, "metadata": metadata}, "application/apply-patch+yaml")


def read(server: ApiServer, manifest: Manifest, namespace: str = "default") -> dict[str, Any]:
    """As it is now."""
    return server.ask("GET", path_of(manifest, namespace)).body


def new_namespace(server: ApiServer, name: str, **labels: str) -> str:
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
    assert server.ask("POST", "/api/v1/namespaces", body).status == 201
    return name


def define_http_routes(server: ApiServer) -> None:
    """The Gateway API's kind with the fields that are rendered, and the defaults that its own definition fills in."""
    group, version = HTTP_ROUTE.api_version.split("/")
    names = {"kind": HTTP_ROUTE.kind, "plural": "httproutes", "singular": "httproute"}
    of_group = {"type": "string", "default": group}
    parent = _object(
        name=_TEXT,
        namespace=_TEXT,
        sectionName=_TEXT,
        port=_NUMBER,
        group=of_group,
        kind={"type": "string", "default": "Gateway"},
    )
    backend = _object(
        name=_TEXT,
        port=_NUMBER,
        group={"type": "string", "default": ""},
        kind={"type": "string", "default": "Service"},
        weight={"type": "integer", "default": 1},
    )
    rule = _object(backendRefs=_list(backend))
    spec = _object(parentRefs=_list(parent), hostnames=_list(_TEXT), rules=_list(rule))
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"httproutes.{group}",
            "annotations": {"api-approved.kubernetes.io": "https://github.com/kubernetes-sigs/gateway-api"},
        },
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": names,
            "versions": [
                {"name": version, "served": True, "storage": True, "schema": {"openAPIV3Schema": _object(spec=spec)}}
            ],
        },
    }
    created = server.ask("POST", _CRDS, definition)
    assert created.status == 201, created.body
    until(lambda: server.ask("GET", f"/apis/{group}/{version}/namespaces/default/httproutes").status == 200)


_TEXT = {"type": "string"}
_NUMBER = {"type": "integer"}


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def _list(item: Any) -> dict[str, Any]:
    return {"type": "array", "items": item}
