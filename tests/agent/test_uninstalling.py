"""An uninstall of the whole cluster: the hook is ours, the API server is real, the agents are played by the test."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from tests.agent.station import Station, beside
from tests.support.apiserver import until
from wherry_agent.uninstalling import NotUninstalled, Uninstall

pytestmark = [pytest.mark.peer, pytest.mark.slow]


class Hook:
    """An uninstall of the station, and what it printed."""

    def __init__(self, station: Station, *, wait: float = 30.0, force: bool = False) -> None:
        self.station, self.wait, self.force = station, wait, force
        self.said: list[str] = []

    def run(self, agents: Callable[[], None] = lambda: None) -> None:
        async def scenario() -> None:
            async with self.station.connected("uninstall") as connection:
                uninstall = Uninstall(
                    connection=connection,
                    namespace=self.station.name,
                    daemon_set="wherry-agent",
                    classes=frozenset({wasm_class(self.station)}),
                    id="o1",
                    wait=self.wait,
                    force=self.force,
                    report=self.said.append,
                )
                await beside(uninstall.run(), agents)

        asyncio.run(scenario())

    def order(self) -> str | None:
        annotations = self.station.metadata("DaemonSet", "wherry-agent")["annotations"]
        return str(annotations["wherry.dev/uninstall"]) if "wherry.dev/uninstall" in annotations else None

    def answer(self, text: str, pod: str = "") -> None:
        """As the agent does, once it has been asked."""
        until(self.order)
        self.station.annotate("Pod", pod or self.station.pod, uninstall_outcome=text)


def wasm_class(station: Station) -> str:
    """Of each test its own: the API server is shared."""
    return f"wasm-{station.name}"


def wasm_pod(station: Station, *held: str) -> None:
    """held: finalizers, with which it stays when it is deleted."""
    station.create("RuntimeClass", {"metadata": {"name": wasm_class(station)}, "handler": "wherry"})
    spec = {"runtimeClassName": wasm_class(station), "containers": [{"name": "app", "image": "x"}]}
    station.create("Pod", {"metadata": {"name": "cart", "finalizers": [*held]}, "spec": spec})


def test_it_ends_when_every_node_has_answered_and_the_order_stays(station: Station) -> None:
    station.create_agent("second", "another-node")
    hook = Hook(station)

    def agents() -> None:
        hook.answer("o1 done")
        hook.answer("o1 done", "second")

    hook.run(agents)
    assert hook.said[-1] == "2 nodes are as they were"
    assert hook.order() == "o1"


def test_an_answer_to_an_earlier_order_is_none(station: Station) -> None:
    station.annotate("Pod", station.pod, uninstall_outcome="o0 done")
    with pytest.raises(NotUninstalled, match=rf"not finished after 2 s: {station.node} \(no answer\)"):
        Hook(station, wait=2.0).run()


def test_it_is_refused_while_wasm_pods_run_and_nobody_is_asked(station: Station) -> None:
    wasm_pod(station)
    hook = Hook(station)
    with pytest.raises(NotUninstalled, match=rf"1 Wasm pods run: {station.name}/cart"):
        hook.run()
    assert hook.order() is None


def test_a_pod_that_is_on_its_way_out_is_waited_for(station: Station) -> None:
    wasm_pod(station, "example.com/slow")
    station.delete("Pod", "cart")
    hook = Hook(station)

    def agents() -> None:
        assert hook.order() is None
        station.patch("Pod", "cart", {"metadata": {"finalizers": []}})
        hook.answer("o1 done")

    hook.run(agents)
    assert hook.order() == "o1"


def test_a_pod_that_never_goes_is_told_like_one_that_runs(station: Station) -> None:
    wasm_pod(station, "example.com/slow")
    station.delete("Pod", "cart")
    with pytest.raises(NotUninstalled, match="1 Wasm pods run"):
        Hook(station, wait=1.5).run()
    station.patch("Pod", "cart", {"metadata": {"finalizers": []}})


def test_forced_it_asks_for_the_end_of_pods(station: Station) -> None:
    wasm_pod(station)
    hook = Hook(station, force=True)
    hook.run(lambda: hook.answer("o1 done"))
    assert hook.order() == "o1 force"


def test_a_node_that_cannot_be_uninstalled_is_named_and_all_stay(station: Station) -> None:
    hook = Hook(station, wait=3.0)
    with pytest.raises(NotUninstalled, match=rf"{station.node} \(2 Wasm pods run here: a/b\)"):
        hook.run(lambda: hook.answer("o1 2 Wasm pods run here: a/b"))
    assert hook.order() is None
    assert f"{station.node}: 2 Wasm pods run here: a/b" in hook.said


def test_forced_it_gives_up_a_node_that_does_not_answer(station: Station) -> None:
    hook = Hook(station, wait=2.0, force=True)
    hook.run()
    assert hook.said[-1] == f"given up, Wherry is still installed there: {station.node} (no answer)"
    assert hook.order() == "o1 force"


def test_a_node_whose_agent_was_taken_away_is_not_forgotten(station: Station) -> None:
    station.create("Node", {"metadata": {"name": f"alone-{station.name}", "labels": {"wherry.dev/runtime": "ready"}}})
    hook = Hook(station)
    try:
        with pytest.raises(NotUninstalled, match=rf"no agent runs on alone-{station.name}"):
            hook.run()
        assert hook.order() is None
    finally:
        station.server.ask("DELETE", f"/api/v1/nodes/alone-{station.name}")


def test_without_a_daemon_set_there_is_nothing_to_do(station: Station) -> None:
    station.server.ask("DELETE", f"/apis/apps/v1/namespaces/{station.name}/daemonsets/wherry-agent")
    hook = Hook(station)
    hook.run()
    assert hook.said == [f"there is no DaemonSet {station.name}/wherry-agent: nothing to do"]
