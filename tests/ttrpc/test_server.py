"""Real sockets: many clients, and calls that block, fail or come too late."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from google.protobuf.empty_pb2 import Empty
from google.protobuf.message import Message

from tests.support.ttrpc_peer import calling, serving
from tests.ttrpc.conftest import Play
from tests.ttrpc.task_service import SERVICE, TaskService, call, state, until, wait
from wherry_shim.proto import task_pb2 as task
from wherry_shim.proto.ttrpc_pb2 import Response
from wherry_shim.ttrpc.client import Client, Disconnected
from wherry_shim.ttrpc.codes import Code, RpcError


async def refusal(answer: Awaitable[Message]) -> tuple[int, str]:
    """Code and sentence of a call that fails."""
    with pytest.raises(RpcError) as caught:
        await answer
    return caught.value.code, str(caught.value)


def test_a_call_that_blocks_holds_nobody_up(path: Path, play: Play) -> None:
    async def story() -> None:
        service = TaskService()
        async with serving(path, service.methods()), calling(path) as client:
            waits = [asyncio.ensure_future(wait(client, f"w{number}")) for number in range(50)]
            await until(lambda: len(service.begun) == 50)
            assert [(await state(client, name)).id for name in "abc"] == ["a", "b", "c"]
            assert not any(waiting.done() for waiting in waits)
            service.go.set()
            assert {(await waiting).exit_status for waiting in waits} == {7}

    play(story())


def test_many_clients_are_served_at_once(path: Path, play: Play) -> None:
    async def story() -> None:
        async with serving(path, TaskService().methods()) as server:
            clients = [await Client.connect(f"unix://{path}") for _ in range(30)]
            answers = await asyncio.gather(*(state(client, str(number)) for number, client in enumerate(clients)))
            assert [answer.id for answer in answers] == [str(number) for number in range(30)]
            assert server.clients == 30
            for client in clients:
                client.close()
            assert await server.hung_up(20)

    play(story())


def test_what_cannot_be_called_is_named(path: Path, play: Play) -> None:
    async def story() -> None:
        async with serving(path, TaskService().methods()), calling(path) as client:
            unknown = await refusal(call(client, "Frobnicate", Empty()))
            assert unknown == (Code.UNIMPLEMENTED, f"service {SERVICE} has no method 'Frobnicate'")
            foreign = await refusal(call(client, "State", Empty(), service="a.b.C"))
            assert foreign == (Code.UNIMPLEMENTED, "there is no service 'a.b.C', asked for its method 'State'")

    play(story())


def test_a_payload_that_is_no_request_says_which_was_expected(path: Path, play: Play) -> None:
    async def story() -> None:
        async with serving(path, TaskService().methods()), calling(path) as client:
            bytes_for_text = Response(payload=b"\xff")
            code, sentence = await refusal(call(client, "State", bytes_for_text))
            assert code == Code.INVALID_ARGUMENT
            assert sentence.startswith("State: the payload is no containerd.task.v3.StateRequest: ")

    play(story())


def test_a_start_error_arrives_as_one_sentence_and_is_not_logged(path: Path, play: Play) -> None:
    async def story(lines: list[str]) -> None:
        async with serving(path, TaskService().methods(), lines), calling(path) as client:
            error = await refusal(call(client, "Create", Empty()))
            assert error == (Code.FAILED_PRECONDITION, "start/artifact: no such blob")

    lines: list[str] = []
    play(story(lines))
    assert lines == []


def test_a_fault_of_ours_is_one_status_and_one_line_with_its_place(path: Path, play: Play) -> None:
    async def story(lines: list[str]) -> None:
        async with serving(path, TaskService().methods(), lines), calling(path) as client:
            error = await refusal(call(client, "Kill", Empty()))
            assert error == (Code.INTERNAL, "ZeroDivisionError: a fault of ours")
            assert (await state(client, "after")).id == "after"

    lines: list[str] = []
    play(story(lines))
    [line] = lines
    assert line.startswith(f"{SERVICE}/Kill failed at ")
    assert "task_service.py:" in line
    assert line.endswith(": ZeroDivisionError: a fault of ours")


def test_a_call_that_was_cancelled_on_our_side_is_answered(path: Path, play: Play) -> None:
    async def story() -> None:
        async with serving(path, TaskService().methods()), calling(path) as client:
            assert await refusal(call(client, "Pause", Empty())) == (Code.CANCELLED, "Pause was cancelled on our side")

    play(story())


def test_a_call_has_the_time_that_its_client_gives_it(path: Path, play: Play) -> None:
    async def story() -> None:
        service = TaskService()
        async with serving(path, service.methods()), calling(path) as client:
            code, _ = await refusal(wait(client, "late", seconds=0.02))
            assert code == Code.DEADLINE_EXCEEDED
            await until(lambda: service.cancelled == ["late"])

    play(story())


def test_a_dead_client_ends_only_its_own_calls(path: Path, play: Play) -> None:
    async def story() -> None:
        service = TaskService()
        async with serving(path, service.methods()), calling(path) as living:
            dead = await Client.connect(str(path))
            lost, kept = (asyncio.ensure_future(wait(client, name)) for client, name in ((dead, "d"), (living, "l")))
            await until(lambda: len(service.begun) == 2)
            dead.close()
            with pytest.raises(Disconnected, match=f"the connection to {path} has ended"):
                await lost
            await until(lambda: service.cancelled == ["d"])
            service.go.set()
            assert (await kept).exit_status == 7

    play(story())


def test_a_call_that_is_to_come_to_its_end_outlives_its_client_and_its_time(path: Path, play: Play) -> None:
    async def story() -> None:
        service = TaskService()
        async with serving(path, service.methods()):
            async with calling(path) as client:
                late = client.call(SERVICE, "Delete", task.DeleteRequest(id="late"), task.DeleteResponse, 0.02)
                assert (await refusal(late))[0] == Code.DEADLINE_EXCEEDED
                gone = asyncio.ensure_future(call(client, "Delete", task.DeleteRequest(id="gone")))
                await until(lambda: len(service.begun) == 2)
            with pytest.raises(Disconnected):
                await gone
            service.go.set()
            await until(lambda: sorted(service.done) == ["gone", "late"])
            assert service.cancelled == []

    play(story())


def test_a_server_that_closes_answers_who_is_there_and_knows_when_they_have_gone(path: Path, play: Play) -> None:
    async def story() -> None:
        service = TaskService()
        async with serving(path, service.methods()) as server, calling(path) as client:
            waiting = asyncio.ensure_future(wait(client, "w"))
            await until(lambda: service.begun == ["w"])
            server.close()
            with pytest.raises(OSError, match="refused"):
                await Client.connect(str(path))
            service.go.set()
            assert (await waiting).exit_status == 7
            assert not await server.hung_up(0.01)
            client.close()
            assert await server.hung_up(20)
            assert server.clients == 0

    play(story())


def test_a_call_after_the_server_has_gone_says_so(path: Path, play: Play) -> None:
    async def story() -> None:
        async with calling_after(path) as client:
            with pytest.raises(Disconnected, match="has ended"):
                await state(client, "x")

    play(story())


@asynccontextmanager
async def calling_after(path: Path) -> AsyncIterator[Client]:
    """A client whose server has hung up."""
    async with serving(path, {}) as server:
        client = await Client.connect(str(path))
        await until(lambda: server.clients == 1)
    await until(lambda: not client.connected)
    await asyncio.sleep(0)  # for the transport to close its socket
    yield client
