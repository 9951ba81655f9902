"""The agent's loop against a real API server and real files; only the programs that change a node are played.

What they do to a real node is tested in tests/node and in test_kind_agent.py.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress

import aiohttp
import pytest

from tests.agent.station import Station, soon
from tests.support.ports import free_ports
from wherry.engine.metering import create
from wherry_agent.agent import Agent
from wherry_agent.names import Outcome
from wherry_agent.programs import Ended

pytestmark = [pytest.mark.peer, pytest.mark.slow]


class Scene:
    """A node's files, and programs that change them. faults: what the next of these end with."""

    def __init__(self, station: Station) -> None:
        self.station, self.root, self.name = station, station.post.root, "0.1.0-first"
        self.faults: list[str] = []
        self.calls: list[str] = []
        (self.port,) = free_ports(1)

    async def install(self, *, proven: bool) -> Ended:
        self.calls.append("repair" if proven else "install")
        if self.faults:
            return Ended(1, (f"wherry-agent: {self.faults.pop(0)}",))
        tree = self.root / "opt/wherry/versions" / self.name
        tree.mkdir(parents=True, exist_ok=True)
        (tree / "manifest.json").write_text("{}")
        with suppress(FileExistsError):
            (self.root / "opt/wherry/current").symlink_to(f"versions/{self.name}")
        self.start_zygote()
        return Ended(0, ())

    async def uninstall(self, *, force: bool) -> Ended:
        self.calls.append("uninstall by force" if force else "uninstall")
        if self.faults:
            return Ended(1, (f"wherry-node: {self.faults.pop(0)}",))
        (self.root / "opt/wherry/current").unlink()
        (self.root / "run/wherry/zygote.pid").unlink()
        return Ended(0, ())

    async def prewarm(self, image: str, plan: str, *, pull: bool) -> Ended:
        self.calls.append(f"prewarm {image} {plan} {'pull' if pull else ''}".rstrip())
        return Ended(0, ())

    def start_zygote(self) -> None:
        comm = self.root / "proc" / str(os.getpid()) / "comm"
        for folder in (self.root / "run/wherry", comm.parent):
            folder.mkdir(parents=True, exist_ok=True)
        (self.root / "run/wherry/zygote.pid").write_text(f"{os.getpid()}\n")
        comm.write_text("wherry-zygote\n")

    def is_labelled(self) -> bool:
        labels: dict[str, str] = self.station.metadata("Node", self.station.node)["labels"]
        return labels.get("wherry.dev/runtime") == "ready"

    def outcome(self) -> Outcome:
        annotations = self.station.metadata("Pod", self.station.pod)["annotations"]
        return Outcome.parse(annotations.get("wherry.dev/uninstall-outcome", ""))

    def events(self) -> list[str]:
        """Their reasons."""
        return [event["reason"] for event in self.station.get("Event").body["items"]]

    def order(self, text: str | None) -> None:
        self.station.annotate("DaemonSet", "wherry-agent", uninstall=text)

    def run(self, told: Callable[[], Awaitable[None]]) -> None:
        """An agent, for as long as the story takes; its own faults end the test."""

        async def scenario() -> None:
            async with self.station.connected() as connection:
                agent = asyncio.ensure_future(Agent(connection, self.station.post, self).run(self.port))
                story = asyncio.ensure_future(told())
                await asyncio.wait([agent, story], return_when=asyncio.FIRST_COMPLETED)
                agent.cancel()
                await asyncio.wait([agent])
                if not agent.cancelled():
                    agent.result()
                await story

        asyncio.run(scenario())

    async def get(self, path: str) -> tuple[int, str]:
        url = f"http://127.0.0.1:{self.port}{path}"
        async with aiohttp.ClientSession() as session, session.get(url) as response:
            return response.status, await response.text()


@pytest.fixture
def scene(station: Station) -> Scene:
    return Scene(station)


def test_a_new_node_is_installed_marked_and_then_left_alone(scene: Scene) -> None:
    async def story() -> None:
        await soon(scene.is_labelled)
        assert (await scene.get("/readyz"))[0] == 200

    scene.run(story)
    assert scene.calls == ["install"]
    annotations = scene.station.metadata("Node", scene.station.node)["annotations"]
    assert annotations["wherry.dev/installed"] == "0.1.0-first"


def test_what_fails_gives_no_label_and_is_not_ready(scene: Scene) -> None:
    scene.faults = ["running a pod: the probe Pod did not answer (the node is as it was)"]

    async def story() -> None:
        await soon(lambda: scene.calls)
        status, page = await scene.get("/metrics")
        assert (await scene.get("/readyz"))[0] == 503
        assert status == 200
        assert 'outcome="failed"} 1' in page

    scene.run(story)
    assert not scene.is_labelled()


def test_an_agent_that_starts_again_looks_and_probes_nothing_that_was_proven(scene: Scene) -> None:
    async def story() -> None:
        await soon(lambda: scene.is_labelled() and scene.calls)

    scene.run(story)
    scene.calls.clear()
    scene.run(story)
    assert scene.calls == ["repair"]
    assert scene.is_labelled()


def test_a_file_that_changes_is_looked_at_and_a_label_that_goes_comes_back(scene: Scene) -> None:
    async def story() -> None:
        await soon(scene.is_labelled)
        (scene.root / "opt/wherry/versions" / scene.name / "manifest.json").write_text("changed")
        await soon(lambda: len(scene.calls) == 2)
        scene.station.patch("Node", scene.station.node, {"metadata": {"labels": {"wherry.dev/runtime": None}}})
        await soon(scene.is_labelled)

    scene.run(story)
    assert scene.calls == ["install", "repair"]


def test_a_zygote_that_cannot_be_helped_costs_the_label_and_probing_brings_it_back(scene: Scene) -> None:
    async def story() -> None:
        await soon(scene.is_labelled)
        scene.faults = ["starting the zygote: wherry-zygote.service does not come up"]
        (scene.root / "run/wherry/zygote.pid").unlink()
        await soon(lambda: not scene.is_labelled())
        await soon(scene.is_labelled)

    scene.run(story)
    assert scene.calls == ["install", "repair", "install"]


def test_an_order_takes_the_label_uninstalls_and_is_answered_once(scene: Scene) -> None:
    async def story() -> None:
        await soon(scene.is_labelled)
        scene.order("o1")
        await soon(lambda: scene.outcome() == Outcome("o1", ""))
        assert not scene.is_labelled()

    scene.run(story)
    assert scene.calls == ["install", "uninstall"]


def test_a_refusal_is_told_and_when_the_order_is_taken_back_all_is_well_again(scene: Scene) -> None:
    async def story() -> None:
        await soon(scene.is_labelled)
        scene.faults = ["looking for Wasm pods: 1 Wasm pods run here: shop/cart"]
        scene.order("o1")
        fault = "looking for Wasm pods: 1 Wasm pods run here: shop/cart"
        await soon(lambda: scene.outcome() == Outcome("o1", fault))
        assert not scene.is_labelled()
        scene.order(None)
        await soon(scene.is_labelled)

    scene.run(story)
    assert scene.calls == ["install", "uninstall", "install"]


def test_an_order_that_was_given_before_the_agent_started_is_obeyed_and_nothing_installed(scene: Scene) -> None:
    scene.order("o2 force")

    async def story() -> None:
        await soon(lambda: scene.outcome() == Outcome("o2", ""))

    scene.run(story)
    assert scene.calls == []


def test_nothing_is_installed_again_when_the_daemon_set_goes(scene: Scene) -> None:
    """It is still the agent's turn several times: it looks every second, and at files of traps every fifth."""

    async def story() -> None:
        await soon(scene.is_labelled)
        scene.order("o1")
        await soon(lambda: scene.outcome() == Outcome("o1", ""))
        path = f"/apis/apps/v1/namespaces/{scene.station.name}/daemonsets/wherry-agent"
        assert scene.station.server.ask("DELETE", path).status == 200
        (scene.root / "run/wherry/later").mkdir()
        (scene.root / "run/wherry/later/app.trap").write_text("x")
        await soon(lambda: (scene.root / "run/wherry/later/app.trap").read_text() == "")

    scene.run(story)
    assert scene.calls == ["install", "uninstall"]


def test_guests_of_this_node_are_on_the_page_and_their_traps_are_events(scene: Scene) -> None:
    spec = {"nodeName": scene.station.node, "containers": [{"name": "app", "image": "x"}]}
    scene.station.create("Pod", {"metadata": {"name": "cart", "labels": {"wherry.dev/app": "cart"}}, "spec": spec})
    folder = scene.root / "run/wherry" / scene.station.metadata("Pod", "cart")["uid"]
    folder.mkdir(parents=True)
    counters = create(folder / "app.metrics", 1)
    counters.slots[0].add("requests_2xx", 4)
    (folder / "app.trap").write_text("trap/unreachable: it ended\n    in request GET / id=1\n")

    async def story() -> None:
        await soon(lambda: "GuestTrapped" in scene.events())
        _, page = await scene.get("/metrics")
        labels = f'namespace="{scene.station.name}",pod="cart",container="app",app="cart"'
        assert f'wherry_requests_total{{{labels},class="2xx"}} 4' in page.splitlines()

    scene.run(story)
    counters.close()
    assert (folder / "app.trap").read_text() == ""
