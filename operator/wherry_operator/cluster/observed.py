"""The cluster as the API server last told, by app. Reading never waits and never asks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator

from wherry.cluster.connection import Connection
from wherry.cluster.feed import Feed
from wherry.cluster.informer import Informer, Pace, Sink, name_of
from wherry.cluster.resources import CONFIG_MAP, SECRET, WASM_APP, resource
from wherry.spec.status import Trap
from wherry_operator.cluster import feeds
from wherry_operator.cluster.feeds import Scope
from wherry_operator.cluster.nodes import Nodes
from wherry_operator.cluster.objects import Objects
from wherry_operator.cluster.sources import Readers, Versions
from wherry_operator.cluster.traps import Traps
from wherry_operator.manifest import Identity, Key, Manifest


class Observed:
    """Everything that a pass looks at. Belongs to one event loop; `run` keeps it true.

    WasmApps come by `put_app` and `forget_app`, from whoever watches them. All manifests are the caller's own.
    """

    def __init__(self, connection: Connection, scope: Scope, pace: Pace | None = None) -> None:
        self._scope = scope
        self._subscribers: list[Callable[[Key], None]] = []
        self._apps = Objects(self._tell, _itself)
        self._children = {each: Objects(self._tell) for each in feeds.CHILDREN}
        self._pods = Objects(self._tell)
        self._traps = Traps(self._pods.app_of, self._tell)
        self._readers = Readers()
        self._versions = {each: Versions(each, self._tell_readers) for each in (CONFIG_MAP, SECRET)}
        self._nodes = Nodes(self._tell_all)
        self._informers = [Informer(connection, feed, sink, pace) for feed, sink in self._routes(scope)]

    async def run(self) -> None:
        """Ends only by being cancelled."""
        async with asyncio.TaskGroup() as group:
            for each in self._informers:
                group.create_task(each.run())

    async def wait_synced(self) -> None:
        """Until every kind has been listed once."""
        for each in self._informers:
            await each.synced.wait()

    @property
    def unsynced(self) -> tuple[str, ...]:
        """What is still being waited for, in words."""
        return tuple(str(each.feed) for each in self._informers if not each.synced.is_set())

    def subscribe(self, callback: Callable[[Key], None]) -> None:
        """callback: called with every app that something changed about, from within the event loop."""
        self._subscribers.append(callback)

    def apps(self) -> tuple[Key, ...]:
        return self._apps.apps()

    def app(self, key: Key) -> Manifest | None:
        found = self._apps.of(key)
        return found[0] if found else None

    def put_app(self, manifest: Manifest) -> None:
        """As the API server told; subscribers hear of it when it is news."""
        self._apps.put(manifest)

    def forget_app(self, key: Key) -> None:
        self._readers.set(key, ())
        if found := self.app(key):
            self._apps.remove(found)

    def children(self, key: Key) -> tuple[Manifest, ...]:
        """Of all kinds but Pods; whatever has the app's label, whoever made it."""
        return tuple(manifest for objects in self._children.values() for manifest in objects.of(key))

    def pods(self, key: Key) -> tuple[Manifest, ...]:
        return self._pods.of(key)

    def traps(self, key: Key) -> tuple[Trap, ...]:
        """The latest first."""
        return self._traps.of(key)

    def ready_nodes(self) -> int | None:
        """Nodes that can run Wasm; None when not known."""
        return len(self._nodes) if self._scope.nodes else None

    def saw(self, manifest: Manifest) -> None:
        """The answer of a write, so that the next pass sees it even before the watch tells of it."""
        kind = resource(manifest["apiVersion"], manifest["kind"])
        if kind is WASM_APP:
            self._apps.saw(manifest)
        if kind in self._children:
            self._children[kind].saw(manifest)

    def reads(self, key: Key, sources: Iterable[Identity]) -> None:
        """The ConfigMaps and Secrets that an app reads: when one changes, the app has changed."""
        self._readers.set(key, sources)

    def versions(self, key: Key) -> dict[Identity, str]:
        """Of what `reads` named and there is. A Secret is not known when the scope leaves Secrets out."""
        found = {each: self._version(each) for each in self._readers.sources(key)}
        return {each: version for each, version in found.items() if version}

    def _version(self, source: Identity) -> str | None:
        return self._versions[resource(source.api_version, source.kind)].of((source.namespace, source.name))

    def _routes(self, scope: Scope) -> Iterator[tuple[Feed, Sink]]:
        for feed in feeds.children(scope):
            yield feed, self._children[feed.resource]
        for feed in feeds.pods(scope):
            yield feed, self._pods
        for feed in feeds.traps(scope):
            yield feed, self._traps
        for feed in feeds.sources(scope):
            yield feed, self._versions[feed.resource]
        for feed in feeds.nodes(scope):
            yield feed, self._nodes

    def _tell(self, key: Key) -> None:
        for each in self._subscribers:
            each(key)

    def _tell_readers(self, source: Identity) -> None:
        for key in self._readers.of(source):
            self._tell(key)

    def _tell_all(self) -> None:
        for key in self.apps():
            self._tell(key)


def _itself(manifest: Manifest) -> Key:
    return Key(*name_of(manifest))
