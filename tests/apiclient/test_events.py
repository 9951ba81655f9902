"""Events that a person sees with kubectl: once each, counted when they come again, and never in the way."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from tests.support.clients import QUICK, REPORTER, cluster_of, wasm_app
from tests.support.control_plane import ControlPlane
from tests.support.fault_proxy import FaultProxy
from tests.support.faults import Fault, always, once
from wherry.cluster.telling import PAUSE, SERIES, Teller
from wherry_operator.manifest import Manifest

pytestmark = pytest.mark.peer
WALL = datetime(2026, 1, 31, 12, tzinfo=UTC)


@dataclass(frozen=True)
class News:
    type: str = "Warning"
    reason: str = "PullFailed"
    message: str = "registry.example is out"


def _app(plane: ControlPlane, namespace: str) -> Manifest:
    return plane.create(f"/apis/wherry.dev/v1alpha1/namespaces/{namespace}/wasmapps", wasm_app(namespace, "a"))


def _events(plane: ControlPlane, namespace: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = plane.server.ask("GET", f"/apis/events.k8s.io/v1/namespaces/{namespace}/events").body[
        "items"
    ]
    return found


def test_kubectl_describe_shows_what_was_told(control_plane: ControlPlane, namespace: str) -> None:
    app = _app(control_plane, namespace)

    async def scenario() -> None:
        async with cluster_of(control_plane.kubeconfig()) as (_, cluster):
            await cluster.emit(app, News())

    asyncio.run(scenario())
    shown = control_plane.server.kubectl("describe", "wasmapp", "a", "--namespace", namespace)
    (line,) = [each.split() for each in shown.stdout.splitlines() if "registry.example is out" in each]
    assert line[:2] == ["Warning", "PullFailed"]
    assert "wherry.dev/tester" in line


def test_the_same_news_is_one_event_that_counts(control_plane: ControlPlane, namespace: str) -> None:
    app, now = _app(control_plane, namespace), [0.0]

    async def scenario() -> list[int]:
        counts = []
        async with cluster_of(control_plane.kubeconfig()) as (connection, _):
            teller = Teller(connection, REPORTER, patience=QUICK, clock=lambda: now[0], wall=lambda: WALL)
            for after in (0.0, 1.0, 1.0, PAUSE):
                now[0] += after
                await teller.tell(app, News())
                (event,) = _events(control_plane, namespace)
                counts.append((event.get("series") or {}).get("count", 1))
        return counts

    assert asyncio.run(scenario()) == [1, 1, 1, 4]


def test_other_news_and_old_news_are_new_events(control_plane: ControlPlane, namespace: str) -> None:
    app, now = _app(control_plane, namespace), [0.0]

    async def scenario() -> None:
        async with cluster_of(control_plane.kubeconfig()) as (connection, _):
            wall = partial(datetime.fromtimestamp, tz=UTC)
            teller = Teller(connection, REPORTER, patience=QUICK, clock=lambda: now[0], wall=lambda: wall(now[0]))
            await teller.tell(app, News())
            await teller.tell(app, replace(News(), message="another message"))
            now[0] += SERIES
            await teller.tell(app, News())

    asyncio.run(scenario())
    assert len(_events(control_plane, namespace)) == 3


def test_a_long_message_is_cut_to_what_the_api_server_takes(control_plane: ControlPlane, namespace: str) -> None:
    app = _app(control_plane, namespace)

    async def scenario() -> None:
        async with cluster_of(control_plane.kubeconfig()) as (_, cluster):
            await cluster.emit(app, News(message="é" * 2000))

    asyncio.run(scenario())
    (event,) = _events(control_plane, namespace)
    assert event["note"] == "é" * 510 + "…"


def test_news_that_cannot_be_told_stops_nobody_and_is_told_the_next_time(
    control_plane: ControlPlane, namespace: str, proxy: FaultProxy
) -> None:
    app = _app(control_plane, namespace)

    async def scenario() -> None:
        async with cluster_of(control_plane.kubeconfig(url=proxy.url), replace(QUICK, budget=0.1)) as (_, cluster):
            proxy.plan(always(Fault.UNAVAILABLE))
            await cluster.emit(app, News())
            proxy.plan(None)
            assert _events(control_plane, namespace) == []
            await cluster.emit(app, News())

    asyncio.run(scenario())
    assert len(_events(control_plane, namespace)) == 1


def test_an_event_whose_answer_was_lost_is_written_once(
    control_plane: ControlPlane, namespace: str, proxy: FaultProxy
) -> None:
    app = _app(control_plane, namespace)

    async def scenario() -> None:
        async with cluster_of(control_plane.kubeconfig(url=proxy.url)) as (_, cluster):
            proxy.plan(once(Fault.LOST))
            await cluster.emit(app, News())

    asyncio.run(scenario())
    assert proxy.made[Fault.LOST] == 1
    assert len(_events(control_plane, namespace)) == 1
