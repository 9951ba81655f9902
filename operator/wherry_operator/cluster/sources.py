"""ConfigMaps and Secrets that apps read: their versions by a watch of metadata, what is in them by name."""

from __future__ import annotations

import base64
import sys
from collections.abc import Callable, Iterable, Mapping

from wherry.cluster.informer import Name, name_of
from wherry.cluster.resources import Resource
from wherry_operator.cluster.writing import Cluster
from wherry_operator.manifest import Identity, Key, Manifest


class Readers:
    """Which apps read which sources."""

    def __init__(self) -> None:
        self._by_app: dict[Key, frozenset[Identity]] = {}
        self._by_source: dict[Identity, set[Key]] = {}

    def set(self, key: Key, sources: Iterable[Identity]) -> None:
        """All that the app reads from now on; nothing forgets it."""
        old, new = self._by_app.pop(key, frozenset()), frozenset(sources)
        for each in old - new:
            self._by_source[each].discard(key)
            if not self._by_source[each]:
                del self._by_source[each]
        for each in new - old:
            self._by_source.setdefault(each, set()).add(key)
        if new:
            self._by_app[key] = new

    def sources(self, key: Key) -> frozenset[Identity]:
        return self._by_app.get(key, frozenset())

    def of(self, source: Identity) -> tuple[Key, ...]:
        return tuple(self._by_source.get(source, ()))


class Versions:
    """Resource versions of all objects of one kind: a sink of an informer that sees metadata only."""

    def __init__(self, kind: Resource, changed: Callable[[Identity], None]) -> None:
        self._kind = kind
        self._changed = changed
        self._versions: dict[Name, str] = {}

    def __len__(self) -> int:
        return len(self._versions)

    def of(self, name: Name) -> str | None:
        return self._versions.get(name)

    def put(self, manifest: Manifest) -> None:
        namespace, name = name_of(manifest)
        version = manifest["metadata"]["resourceVersion"]
        if self._versions.get((namespace, name)) != version:
            self._versions[sys.intern(namespace), name] = version
            self._tell((namespace, name))

    def remove(self, manifest: Manifest) -> None:
        if self._versions.pop(name_of(manifest), None):
            self._tell(name_of(manifest))

    def keep(self, namespace: str, names: set[Name]) -> None:
        for name in [each for each in self._versions if each not in names and namespace in ("", each[0])]:
            del self._versions[name]
            self._tell(name)

    def _tell(self, name: Name) -> None:
        self._changed(Identity(self._kind.api_version, self._kind.kind, *name))


async def read(cluster: Cluster, sources: Iterable[Identity]) -> dict[Identity, Mapping[str, bytes]]:
    """What is in each source that there is; by get, so that a role may name them. Raises a ClusterError."""
    found: dict[Identity, Mapping[str, bytes]] = {}
    for each in sources:
        if (manifest := await cluster.get(each)) is not None:
            found[each] = content(manifest)
    return found


def content(manifest: Manifest) -> dict[str, bytes]:
    """The data of a ConfigMap or a Secret."""
    if manifest["kind"] == "Secret":
        return {name: base64.b64decode(value) for name, value in (manifest.get("data") or {}).items()}
    plain = {name: value.encode() for name, value in (manifest.get("data") or {}).items()}
    return plain | {name: base64.b64decode(value) for name, value in (manifest.get("binaryData") or {}).items()}
