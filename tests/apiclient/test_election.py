"""One leader at a time, on a real API server: replicas that stop, are killed, or lose the API server."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest

from tests.support.clients import AGENT, cluster_of, until
from tests.support.control_plane import ControlPlane
from tests.support.fault_proxy import FaultProxy, fault_proxy
from wherry.cluster.connection import Connection
from wherry_operator.cluster.election import Election, Terms, steady
from wherry_operator.manifest import Key, Manifest

pytestmark = pytest.mark.peer
SOON = Terms(duration=1.0, patience=0.6, retry=0.05)
LONG = Terms(duration=1000.0, patience=900.0, retry=0.05)
"""Who waits for these to pass, waits for longer than a test."""


@dataclass
class Times:
    """Who led from when to when."""

    spans: list[tuple[float, float, str]] = field(default_factory=list)
    leading: set[str] = field(default_factory=set)

    async def lead(self, name: str) -> None:
        """For ever; whoever is cancelled leads until then."""
        began = time.monotonic()
        self.leading.add(name)
        try:
            await asyncio.Event().wait()
        finally:
            self.leading.discard(name)
            self.spans.append((began, time.monotonic(), name))

    def overlaps(self) -> list[tuple[str, str]]:
        ordered = sorted(self.spans)
        return [(one[2], two[2]) for one, two in itertools.pairwise(ordered) if two[0] < one[1]]


@dataclass
class Candidates:
    """Each runs its election as a task."""

    lease: Key
    times: Times = field(default_factory=Times)
    tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    def start(
        self, connection: Connection, name: str, terms: Terms = SOON, clock: Callable[[], float] = steady
    ) -> Election:
        election = Election(connection, self.lease, name, terms=terms, clock=clock)
        self.tasks[name] = asyncio.create_task(election.run(lambda: self.times.lead(name)))
        return election

    async def stop(self, name: str) -> None:
        self.tasks[name].cancel()
        await asyncio.wait([self.tasks.pop(name)])

    async def stop_all(self) -> None:
        for name in list(self.tasks):
            await self.stop(name)

    async def leader(self) -> str:
        """Once there is one."""
        await until(lambda: self.times.leading)
        return next(iter(self.times.leading))


def test_one_of_two_leads_and_the_other_follows_at_once_when_it_stops(
    control_plane: ControlPlane, namespace: str
) -> None:
    candidates = Candidates(Key(namespace, "lease"))

    async def scenario() -> tuple[str, str]:
        async with cluster_of(control_plane.kubeconfig()) as (connection, _):
            for name in ("a", "b"):
                candidates.start(connection, name, LONG)
            first = await candidates.leader()
            await candidates.stop(first)
            second = await candidates.leader()
            await candidates.stop_all()
            return first, second

    assert {*asyncio.run(scenario())} == {"a", "b"}
    assert candidates.times.overlaps() == []


def test_a_leader_without_an_api_server_stops_before_another_starts(
    control_plane: ControlPlane, namespace: str, proxy: FaultProxy
) -> None:
    candidates = Candidates(Key(namespace, "lease"))

    async def scenario() -> str:
        async with (
            cluster_of(control_plane.kubeconfig(url=proxy.url)) as (cut_off, _),
            cluster_of(control_plane.kubeconfig()) as (connection, _),
        ):
            candidates.start(cut_off, "cut-off")
            await candidates.leader()
            candidates.start(connection, "other")
            with proxy.outage():
                await until(lambda: candidates.times.leading == {"other"})
                await candidates.stop_all()
            return candidates.times.spans[0][2]

    assert asyncio.run(scenario()) == "cut-off"
    assert candidates.times.overlaps() == []


@pytest.mark.parametrize("seed", range(2))
def test_there_are_never_two_leaders_while_replicas_are_killed_and_cut_off(
    control_plane: ControlPlane, namespace: str, seed: int
) -> None:
    candidates, chance = Candidates(Key(namespace, "lease")), random.Random(seed)

    async def disturb(round_: int, proxies: dict[str, FaultProxy]) -> None:
        """The leader is killed, so that it gives nothing back, or cannot reach the API server for a while."""
        leader = await candidates.leader()
        with proxies[leader].outage():
            if chance.random() < 0.5:
                await candidates.stop(leader)
            await until(lambda: candidates.times.leading - {leader})

    async def scenario() -> None:
        with ExitStack() as stack:
            proxies = {name: stack.enter_context(fault_proxy(control_plane.server)) for name in "abc"}
            for round_ in range(6):
                for name in set(proxies) - set(candidates.tasks):
                    await _rejoin(candidates, control_plane, proxies, name)
                await disturb(round_, proxies)
                await _reap(candidates)
            await candidates.stop_all()

    asyncio.run(scenario())
    assert candidates.times.overlaps() == []
    assert len(candidates.times.spans) > 6


async def _rejoin(candidates: Candidates, plane: ControlPlane, proxies: dict[str, FaultProxy], name: str) -> None:
    """As a new process, with a connection that ends with it."""

    async def process() -> None:
        async with cluster_of(plane.kubeconfig(url=proxies[name].url)) as (connection, _):
            election = Election(connection, candidates.lease, name, terms=SOON)
            await election.run(lambda: candidates.times.lead(name))

    candidates.tasks[name] = asyncio.create_task(process())


async def _reap(candidates: Candidates) -> None:
    """A replica that has lost its lease ends."""
    for name, task in list(candidates.tasks.items()):
        if task.done():
            candidates.tasks.pop(name).result()


def test_nobody_believes_the_times_in_a_lease(control_plane: ControlPlane, namespace: str) -> None:
    """A wall clock may jump by years; only what was seen to happen counts."""
    candidates, now = Candidates(Key(namespace, "lease")), [1000.0]
    spec = {"holderIdentity": "other", "leaseDurationSeconds": 500, "renewTime": "2001-01-01T00:00:00.000000Z"}
    leases = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"
    control_plane.create(leases, {"metadata": {"name": "lease"}, "spec": spec})
    mark = control_plane.audit.mark()

    async def scenario() -> tuple[bool, str]:
        async with cluster_of(control_plane.kubeconfig()) as (connection, _):
            election = candidates.start(connection, "a", LONG, clock=lambda: now[0])
            await until(lambda: len(control_plane.audit.since(mark, agent=f"{AGENT}/")) > 3)
            early = election.leads
            now[0] += 501.0
            leader = await candidates.leader()
            await candidates.stop_all()
            return early, leader

    assert asyncio.run(scenario()) == (False, "a")


def test_a_leader_that_slept_too_long_leads_no_more(control_plane: ControlPlane, namespace: str) -> None:
    """A machine that was suspended: the clock went on, and another may have taken over."""
    candidates, now = Candidates(Key(namespace, "lease")), [1000.0]

    async def scenario() -> tuple[bool, bool]:
        async with cluster_of(control_plane.kubeconfig()) as (connection, _):
            election = candidates.start(connection, "a", LONG, clock=lambda: now[0])
            await candidates.leader()
            before = election.leads
            now[0] += LONG.duration
            after = election.leads
            await candidates.tasks["a"]
            return before, after

    assert asyncio.run(scenario()) == (True, False)


def test_a_lease_says_who_leads_and_how_often_that_changed(control_plane: ControlPlane, namespace: str) -> None:
    candidates, path = (
        Candidates(Key(namespace, "lease")),
        f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases",
    )

    async def scenario() -> tuple[Manifest, Manifest]:
        async with cluster_of(control_plane.kubeconfig()) as (connection, _):
            candidates.start(connection, "a", LONG)
            await candidates.leader()
            held = control_plane.server.ask("GET", f"{path}/lease").body["spec"]
            await candidates.stop_all()
            return held, control_plane.server.ask("GET", f"{path}/lease").body["spec"]

    held, given_back = asyncio.run(scenario())
    assert (held["holderIdentity"], held["leaseDurationSeconds"], held["leaseTransitions"]) == ("a", 1000, 0)
    assert (given_back.get("holderIdentity", ""), given_back["leaseDurationSeconds"]) == ("", 1)


def test_what_the_work_raises_ends_the_election_and_gives_the_lease_back(
    control_plane: ControlPlane, namespace: str
) -> None:
    async def fails() -> None:
        raise ZeroDivisionError

    async def scenario() -> None:
        async with cluster_of(control_plane.kubeconfig()) as (connection, _):
            await Election(connection, Key(namespace, "lease"), "a", terms=LONG).run(fails)

    with pytest.raises(ZeroDivisionError):
        asyncio.run(scenario())
    path = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases/lease"
    assert not control_plane.server.ask("GET", path).body["spec"].get("holderIdentity")
