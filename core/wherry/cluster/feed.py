"""What is watched: one kind, selectors, and how much of each object."""

from __future__ import annotations

from dataclasses import dataclass

from wherry.cluster.request import JSON, METADATA, METADATA_LIST
from wherry.cluster.resources import Resource


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """One list and watch. selector, fields: of labels and of fields. optional: a cluster may not have the kind."""

    resource: Resource
    namespace: str = ""
    selector: str = ""
    fields: str = ""
    metadata_only: bool = False
    optional: bool = False

    @property
    def query(self) -> dict[str, str]:
        wanted = {"labelSelector": self.selector, "fieldSelector": self.fields}
        return {name: value for name, value in wanted.items() if value}

    @property
    def accept(self) -> str:
        """For a watch."""
        return METADATA if self.metadata_only else JSON

    @property
    def accept_list(self) -> str:
        return METADATA_LIST if self.metadata_only else JSON

    def __str__(self) -> str:
        return f"{self.resource.full_name} of {self.namespace or 'all namespaces'}"
