"""A watch that never loses an event: 200 edits of objects while requests fail and watches break.

What subscribers saw, and nothing else, is compared with what the API server has after every five edits: an event that
was lost would leave an object in a state that it had before.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.support.apiserver import ApiServer
from tests.support.apiserver import until as until_now
from tests.support.clients import AGENT, BRISK, cluster_of, config_map, until
from tests.support.control_plane import ControlPlane
from tests.support.fault_proxy import FaultProxy
from tests.support.faults import LOUD, SILENT, Fault, Faults, always
from wherry.cluster import informer
from wherry.cluster.feed import Feed
from wherry.cluster.informer import GIVE_UP, Informer
from wherry.cluster.resources import CONFIG_MAP, HTTP_ROUTE
from wherry_operator.cluster.objects import Objects
from wherry_operator.manifest import Key

pytestmark = pytest.mark.peer
EDITS = 200
NAMES = [f"object-{number}" for number in range(12)]
APPS = ["a", "b", "c"]
MERGE = "application/merge-patch+json"
State = dict[str, tuple[str, str]]
"""By object, its app and what it says."""


@dataclass
class Reader:
    """A subscriber that looks only when it is told to, as the operator does."""

    namespace: str
    seen: dict[Key, State] = field(default_factory=dict)
    told: int = 0
    objects: Objects = field(init=False)

    def __post_init__(self) -> None:
        self.objects = Objects(self._look)

    def _look(self, key: Key) -> None:
        self.told += 1
        found = self.objects.of(key)
        self.seen[key] = {each["metadata"]["name"]: (key.name, each["data"]["said"]) for each in found}

    def state(self) -> State:
        return {name: said for state in self.seen.values() for name, said in state.items()}


@asynccontextmanager
async def following(plane: ControlPlane, proxy: FaultProxy, reader: Reader) -> AsyncIterator[Informer]:
    feed = Feed(resource=CONFIG_MAP, namespace=reader.namespace, selector="wherry.dev/app")
    async with cluster_of(plane.kubeconfig(url=proxy.url)) as (connection, _):
        informer = Informer(connection, feed, reader.objects, BRISK, random.Random(0).random)
        task = asyncio.create_task(informer.run())
        try:
            yield informer
        finally:
            task.cancel()
            await asyncio.wait([task])


def edit(server: ApiServer, namespace: str, chance: random.Random) -> None:
    """One change of one object: it comes, goes, says something else, or becomes another app's or nobody's."""
    name, path = chance.choice(NAMES), f"/api/v1/namespaces/{namespace}/configmaps"
    label = {"metadata": {"labels": {"wherry.dev/app": chance.choice([*APPS, None])}}}
    words = {"said": str(chance.random())}
    made = config_map(namespace, name, words, chance.choice(APPS))
    match chance.randrange(5):
        case 0:
            server.ask("DELETE", f"{path}/{name}")
        case 1:
            server.ask("PATCH", f"{path}/{name}", label, MERGE)
        case 2:
            server.ask("DELETE", f"{path}/{name}")
            server.ask("POST", path, made)
        case _:
            if server.ask("POST", path, made).status == 409:
                server.ask("PATCH", f"{path}/{name}", {"data": words}, MERGE)


def truth(server: ApiServer, namespace: str) -> State:
    listed = server.ask("GET", f"/api/v1/namespaces/{namespace}/configmaps?labelSelector=wherry.dev/app")
    found = [(each["metadata"], each["data"]["said"]) for each in listed.body["items"]]
    return {metadata["name"]: (metadata["labels"]["wherry.dev/app"], said) for metadata, said in found}


@pytest.mark.parametrize("streams_lists", [True, False], ids=["lists in the watch", "lists in pages"])
@pytest.mark.parametrize("seed", range(2))
def test_after_200_edits_with_faults_subscribers_have_seen_what_there_is(
    control_plane: ControlPlane,
    namespace: str,
    proxy: FaultProxy,
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
    streams_lists: bool,
) -> None:
    monkeypatch.setattr(informer, "PAGE", 5)
    proxy.streams_lists = streams_lists
    reader, chance = Reader(namespace), random.Random(seed)

    def caught_up() -> None:
        wanted = truth(control_plane.server, namespace)
        until_now(lambda: reader.state() == wanted)

    def edits() -> None:
        for number in range(EDITS):
            edit(control_plane.server, namespace, chance)
            if number % 5 == 2:
                proxy.cut()
            if number % 5 == 4:
                caught_up()

    async def scenario() -> None:
        proxy.plan(Faults(seed, share=0.3, watches=1.0, kinds=LOUD))
        async with following(control_plane, proxy, reader):
            await asyncio.to_thread(edits)

    asyncio.run(scenario())
    assert reader.state() == truth(control_plane.server, namespace)
    assert proxy.made.total() >= EDITS // 5
    assert len(proxy.made) > 4


def test_what_was_deleted_while_nobody_watched_is_gone(
    control_plane: ControlPlane, namespace: str, proxy: FaultProxy
) -> None:
    reader, path = Reader(namespace), f"/api/v1/namespaces/{namespace}/configmaps"
    for name in ("stays", "goes"):
        control_plane.create(path, config_map(namespace, name, {"said": "1"}, "a"))

    async def scenario() -> State:
        async with following(control_plane, proxy, reader) as followed:
            await followed.synced.wait()
            with proxy.outage():
                control_plane.server.ask("DELETE", f"{path}/goes")
                await until(lambda: proxy.made[Fault.DROPPED] > 6)
            await until(lambda: "goes" not in reader.state())
            return reader.state()

    assert asyncio.run(scenario()) == {"stays": ("a", "1")}


@pytest.mark.parametrize("fault", SILENT)
def test_a_watch_that_has_gone_quiet_is_given_up(
    control_plane: ControlPlane, namespace: str, proxy: FaultProxy, fault: Fault
) -> None:
    """The peer that is lost sends nothing, not even an end."""
    reader, path = Reader(namespace), f"/api/v1/namespaces/{namespace}/configmaps"

    async def scenario() -> None:
        async with following(control_plane, proxy, reader) as followed:
            await followed.synced.wait()
            proxy.cut()
            proxy.plan(always(fault))
            number = 0
            while not proxy.made[fault]:
                await asyncio.to_thread(
                    control_plane.create, path, config_map(namespace, f"o-{number}", {"said": "1"}, "a")
                )
                number += 1
            proxy.plan(None)
            wanted = truth(control_plane.server, namespace)
            await until(lambda: reader.state() == wanted)

    asyncio.run(scenario())
    assert reader.state()


def test_an_outage_is_no_reason_to_read_everything_again(
    control_plane: ControlPlane, namespace: str, proxy: FaultProxy
) -> None:
    reader, path = Reader(namespace), f"/api/v1/namespaces/{namespace}/configmaps"

    async def scenario() -> int:
        async with following(control_plane, proxy, reader) as followed:
            await followed.synced.wait()
            mark = control_plane.audit.mark()
            with proxy.outage():
                await until(lambda: proxy.made[Fault.DROPPED] > 2 * GIVE_UP)
            control_plane.create(path, config_map(namespace, "after", {"said": "1"}, "a"))
            await until(lambda: "after" in reader.state())
            return mark

    asked = control_plane.asked(asyncio.run(scenario()), agent=f"{AGENT}/")
    assert {(each.verb, each.starts_anew) for each in asked if each.namespace == namespace} == {("watch", False)}


def test_an_object_that_did_not_change_is_not_told_again(
    control_plane: ControlPlane, namespace: str, proxy: FaultProxy
) -> None:
    reader = Reader(namespace)
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    control_plane.create(path, config_map(namespace, "first", {"said": "1"}, "a"))

    async def scenario() -> None:
        async with following(control_plane, proxy, reader):
            await until(lambda: reader.told == 1)
            proxy.plan(always(Fault.EXPIRED))
            proxy.cut()
            await until(lambda: proxy.made[Fault.EXPIRED] > 1)
            proxy.plan(None)
            control_plane.create(path, config_map(namespace, "second", {"said": "1"}, "b"))
            await until(lambda: "second" in reader.state())

    asyncio.run(scenario())
    assert reader.told == 2


def test_a_kind_that_a_cluster_does_not_have_is_no_reason_to_wait(control_plane: ControlPlane, namespace: str) -> None:
    async def scenario() -> tuple[Any, ...]:
        reader = Reader(namespace)
        async with cluster_of(control_plane.kubeconfig()) as (connection, _):
            feed = Feed(resource=HTTP_ROUTE, namespace=namespace, optional=True)
            followed = Informer(connection, feed, reader.objects, BRISK)
            task = asyncio.create_task(followed.run())
            await asyncio.wait_for(followed.synced.wait(), 30)
            task.cancel()
            await asyncio.wait([task])
            return tuple(reader.objects.apps())

    assert asyncio.run(scenario()) == ()
