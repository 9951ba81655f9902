"""Kubernetes Events, in the events.k8s.io/v1 API; the same news again is counted in a series."""

from __future__ import annotations

import hashlib
import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from wherry.cluster.connection import Connection
from wherry.cluster.failures import AlreadyExists, ClusterError, NotFound
from wherry.cluster.names import APP, Manifest
from wherry.cluster.patience import Patience, insist
from wherry.cluster.request import MERGE_PATCH, Request
from wherry.cluster.resources import EVENT

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Reporter:
    """Who tells. controller: a program, as `example.com/name`; instance: this process of it; action: what it does."""

    controller: str
    instance: str
    action: str


@dataclass(slots=True)
class _Series:
    """One Event that was written. count: how often it happened; started, told: on the monotonic clock."""

    name: str
    started: float
    told: float
    count: int = 1


class Teller:
    """Remembers what it told, for a bounded number of things."""

    def __init__(
        self,
        connection: Connection,
        reporter: Reporter,
        *,
        patience: Patience | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._connection = connection
        self._reporter = reporter
        self._patience = patience or Patience(attempt=5.0, budget=5.0)
        self._clock = clock
        self._wall = wall
        self._series: OrderedDict[str, _Series] = OrderedDict()

    async def tell(self, about: Manifest, notice: Notice, *, times: int = 1, part: str = "") -> bool:
        """Whether it was told. times: how often it happened. part: the field of `about` that it is about."""
        try:
            await self._tell(about, notice, times, part)
        except ClusterError as failure:
            LOG.warning("an Event could not be written: %s", failure)
            return False
        return True

    async def _tell(self, about: Manifest, notice: Notice, times: int, part: str) -> None:
        body, now = event(about, notice, self._reporter, self._wall(), part), self._clock()
        digest = _digest(body)
        known = self._series.get(digest)
        if known and now - known.started < SERIES:
            await self._again(body, known, now, times)
            return
        body["metadata"]["name"] += f".{digest}{int(self._wall().timestamp()):x}"
        await self._create(body | ({"series": self._counted(times)} if times > 1 else {}))
        self._series[digest] = _Series(body["metadata"]["name"], now, now, times)
        self._series.move_to_end(digest)
        if len(self._series) > REMEMBERED:
            self._series.popitem(last=False)

    async def _again(self, body: Manifest, series: _Series, now: float, times: int) -> None:
        """Counted at once, written now and then."""
        series.count += times
        if now - series.told < PAUSE:
            return
        series.told = now
        await self._patch(body["metadata"]["namespace"], series)

    def _counted(self, times: int) -> dict[str, Any]:
        return {"count": times, "lastObservedTime": _micro(self._wall())}

    async def _create(self, body: Manifest) -> None:
        request = Request(verb="create", resource=EVENT, namespace=body["metadata"]["namespace"], body=body)
        try:
            await insist(lambda: self._connection.ask(request, self._patience.attempt), self._patience)
        except AlreadyExists:
            return  # the answer to an earlier attempt was lost

    async def _patch(self, namespace: str, series: _Series) -> None:
        request = Request(
            verb="patch",
            resource=EVENT,
            namespace=namespace,
            name=series.name,
            body={"series": self._counted(series.count)},
            content_type=MERGE_PATCH,
        )
        try:
            await insist(lambda: self._connection.ask(request, self._patience.attempt), self._patience)
        except NotFound:
            return  # Events live for an hour


def event(about: Manifest, notice: Notice, reporter: Reporter, wall: datetime, part: str = "") -> dict[str, Any]:
    """https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/

    Its name is the object's, to be continued. It has the app's label when the object has.
    """
    meta = about["metadata"]
    app = (meta.get("labels") or {}).get(APP)
    return {
        "apiVersion": EVENT.api_version,
        "kind": EVENT.kind,
        "metadata": {"namespace": meta["namespace"], "name": meta["name"]} | ({"labels": {APP: app}} if app else {}),
        "eventTime": _micro(wall),
        "type": notice.type,
        "reason": notice.reason,
        "action": reporter.action,
        "note": _shortened(notice.message),
        "regarding": {
            "apiVersion": about["apiVersion"],
            "kind": about["kind"],
            "namespace": meta["namespace"],
            "name": meta["name"],
            "uid": meta.get("uid", ""),
        }
        | ({"fieldPath": part} if part else {}),
        "reportingController": reporter.controller,
        "reportingInstance": reporter.instance[:128],
    }


def _digest(event: Manifest) -> str:
    about = event["regarding"]
    said = (about["uid"], about.get("fieldPath", ""), event["type"], event["reason"], event["note"])
    return hashlib.sha256("\0".join(said).encode()).hexdigest()[:10]


def _shortened(message: str) -> str:
    data = message.encode()
    return message if len(data) <= NOTE else data[: NOTE - 3].decode(errors="ignore") + "…"


def _micro(wall: datetime) -> str:
    """A MicroTime (meta/v1)."""
    return wall.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
