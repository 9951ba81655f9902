"""Kubernetes Events about apps, in the events.k8s.io/v1 API; the same news again is counted in a series."""

from __future__ import annotations

import hashlib
import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from wherry_operator import labels
from wherry_operator.cluster.connection import Connection
from wherry_operator.cluster.failures import AlreadyExists, ClusterError, NotFound
from wherry_operator.cluster.patience import Patience, insist
from wherry_operator.cluster.request import MERGE_PATCH, Request
from wherry_operator.cluster.resources import EVENT
from wherry_operator.manifest import Manifest

LOG = logging.getLogger(__name__)
NOTE = 1024
"""Bytes of a note that the API server takes."""
REMEMBERED = 1024
SERIES = 600.0
"""Seconds after which the same news is new."""
PAUSE = 60.0
"""Seconds between two writes about one series."""


class Notice(Protocol):
    """Something to tell. type: Normal or Warning; reason: one word."""

    @property
    def type(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def message(self) -> str: ...


@dataclass(slots=True)
class _Series:
    """One Event that was written. count: how often it happened; started, told: on the monotonic clock."""

    name: str
    started: float
    told: float
    count: int = 1


class Teller:
    """Remembers what it told, for a bounded number of things. instance: the name of this process."""

    def __init__(
        self,
        connection: Connection,
        instance: str,
        *,
        patience: Patience | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._connection = connection
        self._instance = instance[:128] or labels.FIELD_MANAGER
        self._patience = patience or Patience(budget=5.0)
        self._clock = clock
        self._wall = wall
        self._series: OrderedDict[str, _Series] = OrderedDict()

    async def tell(self, about: Manifest, notice: Notice) -> None:
        try:
            await self._tell(about, notice)
        except ClusterError as failure:
            LOG.warning("an Event could not be written: %s", failure)

    async def _tell(self, about: Manifest, notice: Notice) -> None:
        digest, now = _digest(about, notice), self._clock()
        known = self._series.get(digest)
        if known and now - known.started < SERIES:
            await self._again(about, known, now)
            return
        wall = self._wall()
        name = f"{about['metadata']['name']}.{digest}{int(wall.timestamp()):x}"
        self._series[digest] = _Series(name, now, now)
        self._series.move_to_end(digest)
        if len(self._series) > REMEMBERED:
            self._series.popitem(last=False)
        await self._create(event(about, notice, name, self._instance, wall))

    async def _again(self, about: Manifest, series: _Series, now: float) -> None:
        """Counted at once, written now and then."""
        series.count += 1
        if now - series.told < PAUSE:
            return
        series.told = now
        await self._patch(about, series)

    async def _create(self, body: Manifest) -> None:
        request = Request(verb="create", resource=EVENT, namespace=body["metadata"]["namespace"], body=body)
        try:
            await insist(lambda: self._connection.ask(request), self._patience)
        except AlreadyExists:
            return  # the answer to an earlier attempt was lost

    async def _patch(self, about: Manifest, series: _Series) -> None:
        request = Request(
            verb="patch",
            resource=EVENT,
            namespace=about["metadata"]["namespace"],
            name=series.name,
            body={"series": {"count": series.count, "lastObservedTime": _micro(self._wall())}},
            content_type=MERGE_PATCH,
        )
        try:
            await insist(lambda: self._connection.ask(request), self._patience)
        except NotFound:
            return  # Events live for an hour


def event(about: Manifest, notice: Notice, name: str, instance: str, wall: datetime) -> dict[str, Any]:
    """https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/"""
    meta = about["metadata"]
    return {
        "apiVersion": EVENT.api_version,
        "kind": EVENT.kind,
        "metadata": {"namespace": meta["namespace"], "name": name},
        "eventTime": _micro(wall),
        "type": notice.type,
        "reason": notice.reason,
        "action": "Reconcile",
        "note": _shortened(notice.message),
        "regarding": {
            "apiVersion": about["apiVersion"],
            "kind": about["kind"],
            "namespace": meta["namespace"],
            "name": meta["name"],
            "uid": meta.get("uid", ""),
        },
        "reportingController": f"wherry.dev/{labels.FIELD_MANAGER}",
        "reportingInstance": instance,
    }


def _digest(about: Manifest, notice: Notice) -> str:
    said = (about["metadata"].get("uid", ""), notice.type, notice.reason, notice.message)
    return hashlib.sha256("\0".join(said).encode()).hexdigest()[:10]


def _shortened(message: str) -> str:
    data = message.encode()
    return message if len(data) <= NOTE else data[: NOTE - 3].decode(errors="ignore") + "…"


def _micro(wall: datetime) -> str:
    """A MicroTime (meta/v1)."""
    return wall.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
