"""Clients that break the protocol, take too much or read too little: others are served as if they were not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.ttrpc_peer import calling, raw_peer, serving
from tests.ttrpc.conftest import Play
from tests.ttrpc.task_service import SERVICE, TaskService, state, until
from wherry_shim.proto.task_pb2 import StateRequest, WaitRequest
from wherry_shim.ttrpc.client import Client
from wherry_shim.ttrpc.codes import Code
from wherry_shim.ttrpc.connection import ClientConnection
from wherry_shim.ttrpc.frames import HEADER, MAX_DATA, FrameType
from wherry_shim.ttrpc.server import MAX_CALLS


def test_a_client_that_does_not_speak_ttrpc_is_dropped_with_one_line(path: Path, play: Play) -> None:
    async def story(lines: list[str]) -> None:
        async with serving(path, TaskService().methods(), lines), calling(path) as other:
            async with raw_peer(path) as peer:
                peer.send(b"GET / HTTP/1.1\r\nHost: shim\r\n\r\n")
                assert await peer.reader.read() == b""
            assert (await state(other, "x")).id == "x"

    lines: list[str] = []
    play(story(lines))
    assert lines == ["a client was dropped: a frame starts with b'GET / HTTP', expected a zero byte first"]


REFUSED = {
    "too long": (HEADER.pack(MAX_DATA + 1, 1, FrameType.REQUEST, 0) + bytes(MAX_DATA + 1), Code.RESOURCE_EXHAUSTED),
    "a stream that stays open": (HEADER.pack(0, 1, FrameType.REQUEST, 2), Code.UNIMPLEMENTED),
    "data": (HEADER.pack(3, 1, FrameType.DATA, 0) + b"abc", Code.UNIMPLEMENTED),
    "garbage": (HEADER.pack(3, 1, FrameType.REQUEST, 0) + b"\xff\xff\xff", Code.INVALID_ARGUMENT),
}


@pytest.mark.parametrize(("data", "code"), REFUSED.values(), ids=REFUSED)
def test_a_frame_that_is_refused_is_answered_and_the_next_call_is_served(
    path: Path, play: Play, data: bytes, code: Code
) -> None:
    async def story() -> None:
        async with serving(path, TaskService().methods()), raw_peer(path) as peer:
            peer.send(data)
            stream, response = await peer.response()
            assert (stream, response.status.code) == (1, code)
            peer.send(two_calls()[1])
            stream, response = await peer.response()
            assert (stream, response.status.code) == (3, Code.OK)

    play(story())


def test_refusals_of_one_client_make_one_line(path: Path, play: Play) -> None:
    async def story(lines: list[str]) -> None:
        async with serving(path, TaskService().methods(), lines), raw_peer(path) as peer:
            peer.send(HEADER.pack(0, 2, FrameType.REQUEST, 0) * 1000)
            for _ in range(1000):
                assert (await peer.response())[1].status.code == Code.INVALID_ARGUMENT

    lines: list[str] = []
    play(story(lines))
    sentence = "stream 2: a client opens odd streams only"
    assert lines == [f"a client's frame was refused: {sentence}; the next ones are not logged"]


def two_calls() -> list[bytes]:
    client = ClientConnection()
    return [client.call(SERVICE, "State", StateRequest(id=name).SerializeToString())[1] for name in "ab"]


def test_a_client_that_does_not_read_is_not_served_further_and_loses_nothing(path: Path, play: Play) -> None:
    calls = 400

    async def story() -> None:
        service = TaskService()
        async with serving(path, service.methods()), raw_peer(path) as peer, calling(path) as other:
            connection = ClientConnection()
            request = StateRequest(id="slow", exec_id="long").SerializeToString()
            peer.send(b"".join(connection.call(SERVICE, "State", request)[1] for _ in range(calls)))
            await until(lambda: len(service.begun) > 1)
            for number in range(100):
                assert (await state(other, str(number))).id == str(number)
            assert service.begun.count("slow") < 40
            streams = [(await peer.response())[0] for _ in range(calls)]
            assert sorted(streams) == list(range(1, 2 * calls, 2))

    play(story())


def test_a_client_has_so_many_calls_open_and_no_more(path: Path, play: Play) -> None:
    async def story() -> None:
        service = TaskService()
        async with serving(path, service.methods()), raw_peer(path) as peer, calling(path) as other:
            connection = ClientConnection()
            request = WaitRequest(id="w").SerializeToString()
            peer.send(b"".join(connection.call(SERVICE, "Wait", request)[1] for _ in range(MAX_CALLS + 1)))
            stream, response = await peer.response()
            assert (stream, response.status.code) == (2 * MAX_CALLS + 1, Code.RESOURCE_EXHAUSTED)
            assert response.status.message == f"{MAX_CALLS} calls of this client are open already"
            assert (await state(other, "x")).id == "x"
            service.go.set()
            for _ in range(MAX_CALLS):
                assert (await peer.response())[1].status.code == Code.OK

    play(story())


def test_clients_that_come_and_go_leave_nothing(path: Path, play: Play) -> None:
    async def story() -> None:
        service = TaskService()
        async with serving(path, service.methods()) as server:
            for _ in range(100):
                client = await Client.connect(str(path))
                await state(client, "x")
                client.close()
            assert await server.hung_up(20)
            assert server.clients == 0

    play(story())
