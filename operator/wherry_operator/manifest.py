"""Kubernetes objects as plain data."""

from __future__ import annotations

from dataclasses import dataclass

from wherry.cluster.names import Manifest

__all__ = ["Identity", "Key", "Manifest"]


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """One WasmApp."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True, order=True)
class Identity:
    """One object of any kind, whatever its content."""

    api_version: str
    kind: str
    namespace: str
    name: str

    @classmethod
    def of(cls, manifest: Manifest) -> Identity:
        meta = manifest["metadata"]
        return cls(manifest["apiVersion"], manifest["kind"], meta.get("namespace", ""), meta["name"])
