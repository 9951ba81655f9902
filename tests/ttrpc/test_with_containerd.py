"""The real containerd at the other end: it takes our events, and it calls our server as it calls a shim's."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from queue import Empty, Queue
from threading import Thread
from typing import IO

import pytest

from tests.support.ttrpc_peer import serving
from tests.ttrpc.conftest import Play
from tests.ttrpc.containerd import PATIENCE, Containerd, containerd
from tests.ttrpc.events_service import publish
from tests.ttrpc.one_task import OneTask, shim
from tests.ttrpc.test_publisher import publishing
from wherry.errors import StartError
from wherry_shim.proto.services import TASK_SERVICES

pytestmark = pytest.mark.peer


@pytest.fixture(scope="module")
def daemon() -> Iterator[Containerd]:
    with containerd() as running:
        yield running


class Subscriber:
    """`ctr events`, line by line."""

    def __init__(self, stdout: IO[str] | None) -> None:
        self._lines: Queue[str] = Queue()
        self._thread = Thread(target=self._read, args=[stdout])
        self._thread.start()

    def _read(self, stdout: IO[str]) -> None:
        for line in stdout:
            self._lines.put(line)

    def next(self, what: str, within: float = PATIENCE) -> str:
        """The next line with these words; those before it are let pass."""
        while what not in (line := self._lines.get(timeout=within)):
            pass
        return line

    def join(self) -> None:
        self._thread.join()


@contextmanager
def subscribed(daemon: Containerd) -> Iterator[Subscriber]:
    """Sees what is published from now on."""
    with subprocess.Popen(daemon.command("events"), stdout=subprocess.PIPE, text=True) as process:
        subscriber = Subscriber(process.stdout)
        try:
            wait_for_subscription(daemon, subscriber)
            yield subscriber
        finally:
            process.terminate()
            subscriber.join()


def wait_for_subscription(daemon: Containerd, subscriber: Subscriber) -> None:
    """Make events of containerd's own until one is seen."""
    for number in range(200):
        daemon.ctr("namespaces", "create", f"probe-{id(subscriber)}-{number}")
        with suppress(Empty):
            subscriber.next("/namespaces/create", within=0.2)
            return
    pytest.fail("containerd shows none of its own events")


def next_exit(subscriber: Subscriber) -> dict[str, object]:
    line = subscriber.next("k8s.io /tasks/exit ")
    event: dict[str, object] = json.loads(line[line.index("{") :])
    return event


def test_containerd_hands_our_events_to_its_subscribers_in_order(daemon: Containerd, play: Play) -> None:
    async def story() -> None:
        async with publishing(daemon.ttrpc) as publisher:
            with subscribed(daemon) as subscriber:
                publish(publisher, range(1, 51))
                assert await publisher.drain(PATIENCE)
                seen = [next_exit(subscriber) for _ in range(50)]
        assert seen == [{"container_id": "a1", "id": "a1", "pid": n, "exit_status": 7} for n in range(1, 51)]

    play(story())


def test_containerd_takes_the_events_of_its_absence_when_it_is_back(daemon: Containerd, play: Play) -> None:
    async def story() -> None:
        async with publishing(daemon.ttrpc) as publisher:
            publish(publisher, range(1))
            assert await publisher.drain(PATIENCE)
            daemon.kill()
            before = forwarded(daemon)
            publish(publisher, range(1, 21))
            assert not await publisher.drain(0.1)
            await asyncio.to_thread(daemon.start)
            assert await publisher.drain(PATIENCE)
            assert forwarded(daemon) - before == 20
            with subscribed(daemon) as subscriber:
                publish(publisher, range(21, 22))
                assert await publisher.drain(PATIENCE)
                assert next_exit(subscriber)["pid"] == 21

    play(story())


def forwarded(daemon: Containerd) -> int:
    """How many events containerd says that it took from shims."""
    return daemon.log().count('msg="event forwarded"')


@pytest.mark.parametrize(("version", "service"), [(2, TASK_SERVICES[0]), (3, TASK_SERVICES[1])])
def test_containerd_runs_a_task_by_calling_our_server(
    daemon: Containerd, play: Play, version: int, service: str
) -> None:
    async def story(one: OneTask) -> None:
        program = shim(daemon.folder, version)
        async with serving(daemon.folder / "shim.sock", one.methods(service)):
            run = await asyncio.to_thread(daemon.run, program, f"one-{version}")
        assert run.returncode == 7, run.stderr
        assert "Wait" in one.called
        assert [name for name in one.called if name in ORDER] == ORDER
        assert one.created.bundle.endswith(f"/default/one-{version}")

    with OneTask.new() as one:
        play(story(one))


ORDER = ["Create", "Start", "Delete", "Shutdown"]


def test_a_start_error_is_told_to_whoever_asked_containerd(daemon: Containerd, play: Play) -> None:
    async def story(one: OneTask) -> None:
        one.fault = StartError("artifact", "the image holds no .wasm", cure="push it with `wherry push`")
        async with serving(daemon.folder / "shim.sock", one.methods(TASK_SERVICES[0])):
            run = await asyncio.to_thread(daemon.run, shim(daemon.folder, 2), "broken")
        assert run.returncode != 0
        assert "start/artifact: the image holds no .wasm; push it with `wherry push`" in run.stderr

    with OneTask.new() as one:
        play(story(one))
