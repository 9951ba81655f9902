"""Events arrive in order, whatever containerd does meanwhile; publishing waits for nothing.

The other end is a server of ours that holds, refuses or loses answers; test_with_containerd.py has the real one.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.support.ttrpc_peer import serving
from tests.ttrpc.conftest import Play
from tests.ttrpc.events_service import EventsService, answering, publish
from tests.ttrpc.task_service import until
from wherry_shim.ttrpc import publisher as publisher_module
from wherry_shim.ttrpc.codes import Code, RpcError
from wherry_shim.ttrpc.publisher import MAX_WAITING, Publisher


@asynccontextmanager
async def publishing(path: Path, lines: list[str] | None = None) -> AsyncIterator[Publisher]:
    lines = [] if lines is None else lines
    publisher = Publisher(str(path), "k8s.io", lines.append)
    try:
        yield publisher
    finally:
        publisher.close()
        await asyncio.sleep(0)  # for the transport to close its socket


def test_an_event_arrives_with_its_topic_namespace_type_and_time(path: Path, play: Play) -> None:
    async def story() -> None:
        service = answering()
        async with serving(path, service.methods()), publishing(path) as publisher:
            before = time.time_ns()
            publish(publisher, range(1))
            assert await publisher.drain(20)
            [envelope] = service.envelopes
            assert (envelope.topic, envelope.namespace) == ("/tasks/exit", "k8s.io")
            assert envelope.event.type_url == "containerd.events.TaskExit"
            assert before <= envelope.timestamp.ToNanoseconds() <= time.time_ns()

    play(story())


def test_events_arrive_in_the_order_in_which_they_were_published(path: Path, play: Play) -> None:
    async def story() -> None:
        service = answering()
        async with serving(path, service.methods()) as server, publishing(path) as publisher:
            for start in range(0, 300, 50):
                publish(publisher, range(start, start + 50))
                await asyncio.sleep(0)
            assert await publisher.drain(20)
            assert service.numbers == list(range(300))
            assert server.clients == 1

    play(story())


def test_publishing_waits_for_nobody(path: Path, play: Play) -> None:
    async def story() -> None:
        service = EventsService()
        async with serving(path, service.methods()), publishing(path) as publisher:
            publish(publisher, range(100))
            await until(lambda: service.numbers == [0])
            assert not await publisher.drain(0.01)
            service.answers.set()
            assert await publisher.drain(20)
            assert service.numbers == list(range(100))

    play(story())


def test_events_of_a_time_without_containerd_are_delivered_when_it_is_back(path: Path, play: Play) -> None:
    async def story() -> None:
        async with publishing(path) as publisher:
            publish(publisher, range(3))
            assert not await publisher.drain(0.2)
            publish(publisher, range(3, 6))
            service = answering()
            async with serving(path, service.methods()):
                assert await publisher.drain(20)
            assert service.numbers == list(range(6))

    play(story())


def test_an_event_whose_answer_was_lost_is_sent_again_before_all_others(path: Path, play: Play) -> None:
    async def story() -> None:
        async with publishing(path) as publisher:
            silent = EventsService()
            async with serving(path, silent.methods()):
                publish(publisher, range(3))
                await until(lambda: silent.numbers == [0])
            service = answering()
            async with serving(path, service.methods()):
                assert await publisher.drain(20)
            assert service.numbers == [0, 1, 2]

    play(story())


def test_a_restart_between_events_is_not_noticed(path: Path, play: Play) -> None:
    async def story() -> None:
        async with publishing(path) as publisher:
            for round_ in range(4):
                service = answering()
                async with serving(path, service.methods()):
                    publish(publisher, range(round_, round_ + 1))
                    assert await publisher.drain(20)
                    assert service.numbers == [round_]

    play(story())


def test_containerd_that_does_not_answer_in_time_is_asked_again_on_a_new_connection(
    path: Path, play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publisher_module, "ANSWER_WITHIN", 0.05)

    async def story() -> None:
        service = EventsService()
        async with serving(path, service.methods()), publishing(path) as publisher:
            publish(publisher, range(2))
            await until(lambda: service.numbers == [0, 0])
            service.answers.set()
            assert await publisher.drain(20)
            assert service.numbers[-2:] == [0, 1]

    play(story())


def test_an_event_that_containerd_refuses_is_dropped_with_a_line(path: Path, play: Play) -> None:
    async def story(lines: list[str]) -> None:
        service = answering()
        service.refusal = RpcError(Code.INVALID_ARGUMENT, "no such topic")
        async with serving(path, service.methods()), publishing(path, lines) as publisher:
            publish(publisher, range(2))
            assert await publisher.drain(20)
            assert service.numbers == [0, 1]

    lines: list[str] = []
    play(story(lines))
    assert lines == ["containerd refused an event of /tasks/exit: no such topic"] * 2


def test_when_too_many_wait_the_oldest_are_dropped_and_two_lines_say_so(path: Path, play: Play) -> None:
    async def story(lines: list[str]) -> None:
        async with publishing(path, lines) as publisher:
            publish(publisher, range(MAX_WAITING + 10))
            service = answering()
            async with serving(path, service.methods()):
                assert await publisher.drain(40)
            assert service.numbers == list(range(10, MAX_WAITING + 10))

    lines: list[str] = []
    play(story(lines))
    assert lines == [
        f"{MAX_WAITING} events wait for containerd at {path}: the oldest are dropped",
        f"containerd at {path} answers again: 10 events were dropped",
    ]


def test_an_event_that_is_dropped_on_its_way_takes_no_other_with_it(path: Path, play: Play) -> None:
    async def story() -> None:
        service = EventsService()
        async with serving(path, service.methods()), publishing(path) as publisher:
            publish(publisher, range(1))
            await until(lambda: service.numbers == [0])
            publish(publisher, range(1, MAX_WAITING + 1))
            service.answers.set()
            assert await publisher.drain(40)
            assert service.numbers == list(range(MAX_WAITING + 1))

    play(story())


def test_at_rest_there_is_no_task_and_no_timer(path: Path, play: Play) -> None:
    async def story() -> None:
        service = answering()
        async with serving(path, service.methods()), publishing(path) as publisher:
            before = asyncio.all_tasks()
            publish(publisher, range(3))
            assert await publisher.drain(20)
            assert asyncio.all_tasks() == before

    play(story())
