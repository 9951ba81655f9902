"""One question to the API server, as a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from wherry.cluster.resources import Resource

Verb = Literal["get", "list", "watch", "create", "update", "patch", "delete"]
"""As roles and the audit log name them."""
METHODS: Mapping[Verb, str] = {
    "get": "GET",
    "list": "GET",
    "watch": "GET",
    "create": "POST",
    "update": "PUT",
    "patch": "PATCH",
    "delete": "DELETE",
}
JSON = "application/json"
APPLY = "application/apply-patch+yaml"
"""Server-side apply; JSON is YAML."""
JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """namespace "": of the whole cluster. body: JSON as Python has it."""

    verb: Verb
    resource: Resource
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    content_type: str = JSON
    accept: str = JSON

    @property
    def path(self) -> str:
        return self.resource.path(self.namespace, self.name, self.subresource)

    @property
    def permission(self) -> str:
        """What a role must grant, in words."""
        subresource = f"/{self.subresource}" if self.subresource else ""
        return f"{self.verb} on {self.resource.full_name}{subresource}"

    def __str__(self) -> str:
        where = "/".join(part for part in (self.namespace, self.name) if part)
        subresource = f"/{self.subresource}" if self.subresource else ""
        return f"{self.verb} {self.resource.full_name}{subresource} {where}".rstrip()
