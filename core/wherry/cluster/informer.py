"""List and watch, for ever: whatever happens on the way, the sink ends up with what the API server has.

A server that can sends the list as the beginning of the watch (WatchList), so that neither side holds all of it at
once. https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from wherry.cluster.connection import Connection
from wherry.cluster.failures import ClusterError, Forbidden, Gone, Invalid, NotFound, Unavailable, Unreachable, told
from wherry.cluster.feed import Feed
from wherry.cluster.names import Manifest
from wherry.cluster.patience import Patience, insist
from wherry.cluster.request import Request

LOG = logging.getLogger(__name__)
PAGE = 250
INITIAL_END = "k8s.io/initial-events-end"
GIVE_UP = 5
"""Failures in a row after which what was seen last is not trusted: everything is listed again, in pages.

A server that could not be reached does not count for that.
"""
Name = tuple[str, str]
"""Namespace and name."""


def name_of(manifest: Manifest) -> Name:
    return manifest["metadata"].get("namespace", ""), manifest["metadata"]["name"]


class Sink(Protocol):
    """Where objects go. All three are told again of what they know; `put` says what there is at that moment."""

    def put(self, manifest: Manifest) -> None:
        """Added or changed."""

    def remove(self, manifest: Manifest) -> None:
        """Gone; as it was last."""

    def keep(self, namespace: str, names: set[Name]) -> None:
        """After a list: what is not among them is gone. namespace: of the feed, "" for all."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds. watch: after which the server ends a watch, spread by a fifth; grace: more before the peer is lost.

    absent: between two looks for a kind that the cluster does not have.
    """

    watch: float = 240.0
    grace: float = 15.0
    absent: float = 300.0
    patience: Patience = field(default_factory=lambda: Patience(first=0.2, most=10.0))


class Informer:
    """One feed into one sink. synced: set once the sink has had everything once, or there is nothing to have."""

    def __init__(
        self,
        connection: Connection,
        feed: Feed,
        sink: Sink,
        pace: Pace | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.feed = feed
        self.synced = asyncio.Event()
        self._connection = connection
        self._sink = sink
        self._pace = pace or Pace()
        self._jitter = jitter
        self._version = ""
        self._streams_lists = True
        self._failures = 0
        self._said = ""

    async def run(self) -> None:
        """Ends only by being cancelled."""
        while True:
            delay = await self._turn()
            await asyncio.sleep(delay)

    async def _turn(self) -> float:
        """One watch, after a list when needed; the delay before the next."""
        began = time.monotonic()
        try:
            await self._follow()
        except Gone as failure:
            self._version = ""
            return self._failed(failure)
        except (NotFound, Forbidden) as failure:
            return self._absent() if self.feed.optional and isinstance(failure, NotFound) else self._failed(failure)
        except ClusterError as failure:
            return self._failed(failure)
        if time.monotonic() - began < 1.0:
            return self._failed(Unavailable(f"watch {self.feed}: ended at once"))
        self._failures = 0
        return 0.0

    async def _follow(self) -> None:
        in_pages = self._failures >= GIVE_UP  # each of which may fail and be asked again, where a stream begins anew
        if self._version or in_pages or not self._streams_lists:
            self._version = self._version or await self._list()
            await self._watch({"resourceVersion": self._version})
            return
        try:
            await self._watch({"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan"}, set())
        except Invalid:
            self._streams_lists = False  # a server from before WatchList, or with it switched off

    async def _list(self) -> str:
        """All pages; the version that a watch goes on from."""
        names: set[Name] = set()
        query = {"limit": str(PAGE)} | self.feed.query
        while True:
            page = await self._page(query)
            for each in page.get("items") or ():
                names.add(self._put(each))
            version: str = page["metadata"]["resourceVersion"]
            if not (more := page["metadata"].get("continue")):
                self._complete(names)
                return version
            query["continue"] = more

    async def _page(self, query: dict[str, str]) -> Any:
        request, patience = self._request("list", query, self.feed.accept_list), self._pace.patience
        return await insist(lambda: self._connection.ask(request, patience.attempt), patience, jitter=self._jitter)

    async def _watch(self, start: dict[str, str], initial: set[Name] | None = None) -> None:
        """Until the server ends it. initial: collects the names of a list that comes first."""
        seconds = self._pace.watch * (0.8 + 0.4 * self._jitter())
        query = {"watch": "true", "allowWatchBookmarks": "true", "timeoutSeconds": str(round(seconds) or 1)}
        request = self._request("watch", query | start | self.feed.query, self.feed.accept)
        async with self._connection.stream(request, seconds + self._pace.grace) as chunks:
            async for event in _events(request, chunks):
                if self._take(request, event, initial):
                    initial = None
                if initial is None:
                    self._version = event["object"]["metadata"]["resourceVersion"]
                    self._failures = 0

    def _take(self, request: Request, event: dict[str, Any], initial: set[Name] | None) -> bool:
        """Whether this was the end of the list that came first."""
        kind, manifest = event["type"], event["object"]
        if kind == "ERROR":
            raise told(request, int(manifest.get("code") or 500), manifest)
        if kind == "BOOKMARK":
            if initial is None or INITIAL_END not in (manifest["metadata"].get("annotations") or {}):
                return False
            self._complete(initial)
            return True
        if kind == "DELETED":
            self._sink.remove(self._typed(manifest))
            (initial or set()).discard(name_of(manifest))
            return False
        name = self._put(manifest)
        if initial is not None:
            initial.add(name)
        return False

    def _put(self, manifest: dict[str, Any]) -> Name:
        self._sink.put(self._typed(manifest))
        return name_of(manifest)

    def _complete(self, names: set[Name]) -> None:
        self._sink.keep(self.feed.namespace, names)
        self.synced.set()

    def _typed(self, manifest: dict[str, Any]) -> dict[str, Any]:
        """Objects in a list do not say their kind, and metadata says another."""
        return manifest | {"apiVersion": self.feed.resource.api_version, "kind": self.feed.resource.kind}

    def _request(self, verb: Any, query: dict[str, str], accept: str) -> Request:
        feed = self.feed
        return Request(verb=verb, resource=feed.resource, namespace=feed.namespace, query=query, accept=accept)

    def _failed(self, failure: ClusterError) -> float:
        delay = max(self._pace.patience.delay(self._failures, self._jitter()), failure.retry_after or 0.0)
        self._failures += 1
        if self._failures % GIVE_UP == 0 and not isinstance(failure, Unreachable):
            self._version = ""
        if str(failure) != self._said:
            LOG.log(logging.INFO if failure.retryable or isinstance(failure, Gone) else logging.ERROR, "%s", failure)
            self._said = str(failure)
        return delay

    def _absent(self) -> float:
        """The kind may come with a CRD later."""
        self._version = ""
        self._complete(set())
        return self._pace.absent * (0.5 + self._jitter() / 2)


async def _events(request: Request, chunks: AsyncIterator[bytes]) -> AsyncIterator[dict[str, Any]]:
    """One for each whole line; the rest of a line that was cut off is nothing."""
    rest = b""
    async for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            try:
                yield json.loads(line)
            except ValueError as error:
                raise Unavailable(f"{request}: a line that is no event") from error
