"""The probe Pod before a real API server; the test is the kubelet."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.agent.station import Station, beside
from tests.support.apiserver import until
from tests.support.ports import free_ports
from wherry.cluster.patience import Patience
from wherry_agent.probing import CannotProbe, Probing
from wherry_shim.node.fault import NodeError

pytestmark = [pytest.mark.peer, pytest.mark.slow]

READY = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}


def probe(station: Station, status: dict[str, Any], seconds: float = 60.0) -> None:
    """Probe, while the kubelet says this of the Pod; nothing when empty."""

    async def scenario() -> None:
        async with station.connected() as connection:
            work = Probing(connection, station.post, Patience(budget=30.0), seconds).run()
            await beside(work, lambda: say(station, status))

    asyncio.run(scenario())


def say(station: Station, status: dict[str, Any]) -> None:
    if status:
        until(lambda: station.get("Pod", f"{station.pod}-probe").status == 200)
        station.kubelet_says(f"{station.pod}-probe", **status)


def leaves_no_probe(station: Station) -> bool:
    """The kubelet would end it: here it is only on its way out."""
    found = station.get("Pod", f"{station.pod}-probe")
    return found.status == 404 or "deletionTimestamp" in found.body["metadata"]


def test_a_pod_that_becomes_ready_is_proof_and_is_removed(station: Station) -> None:
    probe(station, READY)
    assert leaves_no_probe(station)


def test_a_pod_that_cannot_start_is_told_in_the_runtimes_words(station: Station) -> None:
    ended = {"exitCode": 128, "reason": "StartError", "message": "start/plan: no such file"}
    containers = [
        {"name": "probe", "state": {"terminated": ended}, "image": "", "imageID": "", "ready": False, "restartCount": 0}
    ]
    with pytest.raises(NodeError, match=r"did not answer: ended with 128: StartError start/plan: no such file"):
        probe(station, {"phase": "Failed", "containerStatuses": containers})
    assert leaves_no_probe(station)


def test_a_pod_that_nobody_starts_is_not_waited_for_for_ever(station: Station) -> None:
    with pytest.raises(NodeError, match="did not answer: Pending"):
        probe(station, {}, seconds=2.0)


def test_a_full_node_says_nothing_of_wasm(station: Station) -> None:
    with pytest.raises(CannotProbe, match="OutOfpods: too many pods"):
        probe(station, {"phase": "Failed", "reason": "OutOfpods", "message": "too many pods"})


def test_a_probe_of_an_earlier_agent_makes_room(station: Station) -> None:
    left = {"metadata": {"name": f"{station.pod}-probe"}, "spec": {"containers": [{"name": "x", "image": "x"}]}}
    uid = station.create("Pod", left)["metadata"]["uid"]

    async def scenario() -> None:
        async with station.connected() as connection:
            await beside(Probing(connection, station.post).run(), answer_the_new_one)

    def answer_the_new_one() -> None:
        name = f"{station.pod}-probe"
        until(lambda: (found := station.get("Pod", name)).status == 200 and found.body["metadata"]["uid"] != uid)
        station.kubelet_says(name, **READY)

    asyncio.run(scenario())
    assert leaves_no_probe(station)


def test_without_its_runtime_class_the_pod_is_refused(station: Station) -> None:
    async def scenario() -> None:
        async with station.connected() as connection:
            post = type(station.post)(**{**_fields(station), "probe_class": "absent"})
            await Probing(connection, post).run()

    with pytest.raises(NodeError, match=r"the probe Pod was refused: .*absent"):
        asyncio.run(scenario())


def _fields(station: Station) -> dict[str, Any]:
    post = station.post
    return {name: getattr(post, name) for name in post.__slots__}


def test_without_an_api_server_nothing_is_said_of_the_installation(station: Station) -> None:
    async def scenario() -> None:
        async with station.connected(url=f"http://127.0.0.1:{free_ports(1)[0]}") as connection:
            await Probing(connection, station.post, Patience(budget=1.0)).run()

    with pytest.raises(CannotProbe, match="no probe Pod could be made"):
        asyncio.run(scenario())
