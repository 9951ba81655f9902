"""Objects of one kind as the API server last told, found by the app that they are labelled with."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass

from wherry.cluster.informer import Name, name_of
from wherry_operator import labels
from wherry_operator.cluster.packing import Packer
from wherry_operator.manifest import Key, Manifest

Changed = Callable[[Key], None]


@dataclass(frozen=True, slots=True)
class _Entry:
    version: str
    uid: str
    key: Key
    packed: bytes


class Objects:
    """A sink of an informer. changed: called with the app of what was added, changed or removed.

    key_of: the app that an object belongs to; None for one that is to be left out.
    """

    def __init__(self, changed: Changed, key_of: Callable[[Manifest], Key | None] | None = None) -> None:
        self._changed = changed
        self._key_of = key_of or app
        self._packer = Packer()
        self._entries: dict[Name, _Entry] = {}
        self._by_app: dict[Key, tuple[Name, ...]] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def of(self, key: Key) -> tuple[Manifest, ...]:
        """In the order of their names."""
        names = sorted(self._by_app.get(key, ()))
        return tuple(self._packer.unpack(self._entries[name].packed) for name in names)

    def apps(self) -> tuple[Key, ...]:
        """Apps that have such an object."""
        return tuple(self._by_app)

    def app_of(self, name: Name) -> Key | None:
        """The app of one object."""
        entry = self._entries.get(name)
        return entry.key if entry else None

    def put(self, manifest: Manifest) -> None:
        if self._store(manifest):
            self._changed(self._entries[name_of(manifest)].key)

    def saw(self, manifest: Manifest) -> None:
        """What a write answered, ahead of the watch; nobody is told, because whoever wrote knows."""
        self._store(manifest)

    def remove(self, manifest: Manifest) -> None:
        entry = self._entries.get(name_of(manifest))
        if entry and entry.uid == manifest["metadata"].get("uid", ""):
            self._forget(name_of(manifest))

    def keep(self, namespace: str, names: set[Name]) -> None:
        for name in [each for each in self._entries if each not in names and namespace in ("", each[0])]:
            self._forget(name)

    def _store(self, manifest: Manifest) -> bool:
        """Whether it is news. A watch may lag behind what a write answered: never back to an older version."""
        name, key = _interned(manifest), self._key_of(manifest)
        uid, version = manifest["metadata"].get("uid", ""), manifest["metadata"].get("resourceVersion", "")
        old = self._entries.get(name)
        if key is None or (old and old.uid == uid and int(version) <= int(old.version)):
            return False
        if old and old.key != key:
            self._forget(name)
        self._entries[name] = _Entry(version, uid, key, self._packer.pack(manifest))
        if name not in (names := self._by_app.get(key, ())):
            self._by_app[key] = (*names, name)
        return True

    def _forget(self, name: Name) -> None:
        key = self._entries.pop(name).key
        rest = tuple(each for each in self._by_app[key] if each != name)
        if rest:
            self._by_app[key] = rest
        else:
            del self._by_app[key]
        self._changed(key)


def app(manifest: Manifest) -> Key | None:
    """The app that an object is labelled with."""
    name = (manifest["metadata"].get("labels") or {}).get(labels.APP)
    return Key(sys.intern(manifest["metadata"]["namespace"]), sys.intern(name)) if name else None


def _interned(manifest: Manifest) -> Name:
    namespace, name = name_of(manifest)
    return sys.intern(namespace), sys.intern(name)
