"""The Task service's truths, told of processes of this machine and of the real runc's containers alike."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.shim.task.conftest import Desk, Play
from tests.support import task_workloads
from wherry.errors import StartError
from wherry_shim.linux.cgroup.statistics import Statistics
from wherry_shim.proto import process_pb2
from wherry_shim.proto import task_pb2 as pb
from wherry_shim.proto.typeurl import LINUX_RESOURCES
from wherry_shim.ttrpc.codes import Code, RpcError, rpc_error

HOLD = "sleep 600"


async def refused(call: Awaitable[Any]) -> Code:
    """The status that containerd gets."""
    try:
        await call
    except Exception as fault:
        return Code(rpc_error(fault).code)
    raise AssertionError("it was not refused")


def test_events_come_in_the_order_that_containerd_relies_on(play: Play) -> None:
    async def story(desk: Desk) -> None:
        await desk.run("exit 7")
        assert await desk.ended() == 7
        told = await desk.delete()
        assert (told.exit_status, told.pid) == (7, desk.published[-1].pid)  # type: ignore[attr-defined]

    desk = play(story)
    assert desk.topics == ["create", "start", "exit", "delete"]
    assert desk.gone == ["a"]


def test_everybody_who_waits_is_told_before_and_after_the_end(play: Play) -> None:
    async def story(desk: Desk) -> None:
        await desk.create("exit 3")
        waiting = [asyncio.ensure_future(desk.ended()) for _ in range(50)]
        await desk.service.start(pb.StartRequest(id="a"))
        assert set(await asyncio.gather(*waiting)) == {3}
        assert await desk.ended() == 3

    play(story)


def test_a_signal_to_what_has_ended_finds_nothing(play: Play) -> None:
    async def story(desk: Desk) -> None:
        await desk.run("exit 0")
        await desk.ended()
        assert await refused(desk.kill(signal.SIGTERM)) == Code.NOT_FOUND
        assert await refused(desk.kill(signal.SIGKILL, everyone=True)) == Code.NOT_FOUND

    play(story)


def test_a_signal_is_the_end_as_a_shell_tells_it(play: Play) -> None:
    async def story(desk: Desk) -> None:
        await desk.run(HOLD)
        await desk.kill(signal.SIGKILL)
        assert await desk.ended() == 137

    play(story)


def test_all_processes_of_a_container_get_a_signal_that_is_for_all(play: Play) -> None:
    async def story(desk: Desk) -> None:
        await desk.run(HOLD)
        await desk.execute(HOLD)
        await desk.kill(signal.SIGKILL, everyone=True)
        assert (await desk.ended(), await desk.ended("e")) == (137, 137)

    play(story)


def test_a_task_that_was_never_started_can_be_deleted(play: Play) -> None:
    async def story(desk: Desk) -> None:
        await desk.create(HOLD)
        assert (await desk.delete()).exit_status == 137
        assert desk.service.tasks == {}
        await desk.run("exit 4")
        assert await desk.ended() == 4

    desk = play(story)
    assert desk.topics[:3] == ["create", "exit", "delete"]


def test_a_task_that_runs_cannot_be_deleted(play: Play) -> None:
    async def story(desk: Desk) -> None:
        await desk.run(HOLD)
        assert await refused(desk.delete()) == Code.FAILED_PRECONDITION

    play(story)


def test_of_two_deletes_at_once_one_removes_it(play: Play) -> None:
    async def story(desk: Desk) -> None:
        await desk.run("exit 0")
        await desk.ended()
        answers = await asyncio.gather(desk.delete(), desk.delete(), return_exceptions=True)
        assert [getattr(each, "code", None) for each in answers] == [None, Code.NOT_FOUND]

    assert play(story).topics.count("delete") == 1


def test_a_task_is_created_once(play: Play) -> None:
    async def story(desk: Desk) -> None:
        answers = await asyncio.gather(desk.create(HOLD), desk.create(HOLD), return_exceptions=True)
        assert [getattr(each, "code", None) for each in answers] == [None, Code.ALREADY_EXISTS]
        assert await refused(desk.create(HOLD)) == Code.ALREADY_EXISTS

    assert play(story).topics.count("create") == 1


def test_a_task_is_started_once(play: Play) -> None:
    async def story(desk: Desk) -> None:
        await desk.run(HOLD)
        assert await refused(desk.service.start(pb.StartRequest(id="a"))) == Code.FAILED_PRECONDITION

    play(story)


def test_the_state_is_told_in_every_state(play: Play) -> None:
    async def story(desk: Desk) -> None:
        seen = []
        moves: list[Callable[[], Awaitable[Any]]] = [
            lambda: desk.create(HOLD),
            lambda: desk.service.start(pb.StartRequest(id="a")),
            lambda: desk.service.pause(pb.PauseRequest(id="a")),
            lambda: desk.service.resume(pb.ResumeRequest(id="a")),
            lambda: desk.kill(signal.SIGKILL),
            desk.ended,
        ]
        for move in moves:
            await move()
            seen.append((await desk.state()).status)
        running, paused = process_pb2.RUNNING, process_pb2.PAUSED
        assert seen[:4] == [process_pb2.CREATED, running, paused, running]
        assert seen[-1] == process_pb2.STOPPED
        assert (await desk.state()).exit_status == 137
        await desk.delete()
        assert await refused(desk.state()) == Code.NOT_FOUND

    assert play(story).topics == ["create", "start", "paused", "resumed", "exit", "delete"]


def test_what_is_paused_can_be_killed(play: Play) -> None:
    async def story(desk: Desk) -> None:
        await desk.run(HOLD)
        await desk.service.pause(pb.PauseRequest(id="a"))
        assert await refused(desk.add("exit 0")) == Code.FAILED_PRECONDITION
        await desk.kill(signal.SIGKILL)
        assert await desk.ended() == 137

    play(story)


def test_nobody_is_named_twice_among_the_processes(play: Play) -> None:
    async def story(desk: Desk) -> None:
        await desk.run(HOLD)
        await desk.execute(HOLD)
        task, one = (await desk.state()).pid, (await desk.state("e")).pid
        found = desk.service.pids(pb.PidsRequest(id="a")).processes
        named = {each.pid: each.info.value for each in found}
        assert len(named) == len(found)
        assert b"e" in named[one]
        assert named[task] == b""

    play(story)


def test_a_task_that_has_ended_still_has_a_process_to_tell(play: Play) -> None:
    async def story(desk: Desk) -> None:
        await desk.run("exit 0")
        await desk.ended()
        assert desk.service.pids(pb.PidsRequest(id="a")).processes

    play(story)


@pytest.mark.parametrize("exec_id", ["", "e"])
@pytest.mark.parametrize("name", ["Start", "State", "Wait", "Kill", "Delete", "CloseIO", "ResizePty"])
def test_whoever_is_not_here_is_not_found(play: Play, name: str, exec_id: str) -> None:
    async def story(desk: Desk) -> None:
        await desk.create(HOLD)
        assert await refused(desk.call(name, id="a" if exec_id else "b", exec_id=exec_id)) == Code.NOT_FOUND

    play(story)


@pytest.mark.parametrize("name", ["Pids", "Stats", "Update", "Pause", "Resume"])
def test_a_task_that_is_not_here_is_not_found(play: Play, name: str) -> None:
    async def story(desk: Desk) -> None:
        assert await refused(desk.call(name, id="b")) == Code.NOT_FOUND

    play(story)


def test_limits_are_changed_in_place_and_nonsense_is_refused(play: Play) -> None:
    async def story(desk: Desk) -> None:
        await desk.run(HOLD)
        request = pb.UpdateTaskRequest(id="a")
        assert await refused(desk.service.update(request)) == Code.INVALID_ARGUMENT
        request.resources.type_url, request.resources.value = LINUX_RESOURCES, b"[1]"
        assert await refused(desk.service.update(request)) == Code.INVALID_ARGUMENT
        request.resources.value = json.dumps({"memory": {"limit": 64 << 20}}).encode()
        await desk.service.update(request)
        statistics: Statistics = desk.workloads["a"].cgroup.statistics()
        assert statistics.memory.limit == 64 << 20 or desk.workloads["a"].processes.updates

    play(story)


def test_statistics_are_those_of_the_cgroup(play: Play) -> None:
    async def story(desk: Desk) -> None:
        await desk.run(HOLD)
        assert desk.service.stats(pb.StatsRequest(id="a")).stats.type_url.endswith("Metrics")

    play(story)


def test_no_task_is_checkpointed_or_restored(play: Play) -> None:
    async def story(desk: Desk) -> None:
        request = pb.CreateTaskRequest(id="a", checkpoint="/tmp/image")
        assert await refused(desk.service.create(request)) == Code.UNIMPLEMENTED
        with pytest.raises(RpcError, match="cannot be checkpointed"):
            desk.service.checkpoint(pb.CheckpointTaskRequest(id="a"))
        assert desk.service.tasks == {}

    play(story)


def test_an_oom_kill_is_told_before_the_end_whatever_the_first_process_made_of_it(folder: Path) -> None:
    async def story() -> list[str]:
        desk = Desk(folder, lambda _request, command, reaper, _folder: task_workloads.ProcessWorkload(command, reaper))
        await desk.run("exit 5")
        desk.workloads["a"].processes.killed_for_memory = 1
        assert await desk.ended() == 5
        await desk.delete()
        return desk.topics

    assert asyncio.run(story()) == ["create", "start", "oom", "exit", "delete"]


def test_no_process_is_started_in_what_refuses_it(folder: Path) -> None:
    async def story() -> Code:
        refusal = "exec is not supported here"
        desk = Desk(folder, lambda _r, command, reaper, _f: task_workloads.ProcessWorkload(command, reaper, refusal))
        await desk.run("exit 0")
        code = await refused(desk.add(HOLD))
        await desk.ended()
        await desk.delete()
        return code

    assert asyncio.run(story()) == Code.UNIMPLEMENTED


def test_a_task_that_cannot_be_created_is_not_there(folder: Path) -> None:
    async def story() -> list[str]:
        fault = StartError("artifact", "not on this node")
        desk = Desk(
            folder, lambda _r, command, reaper, _f: task_workloads.ProcessWorkload(command, reaper, fault=fault)
        )
        assert await refused(desk.create(HOLD)) == await refused(desk.create(HOLD)) == Code.FAILED_PRECONDITION
        assert await refused(desk.state()) == Code.NOT_FOUND
        return desk.topics

    assert asyncio.run(story()) == []


# Execs


def test_an_exec_ends_with_its_own_code_and_its_own_events(play: Play) -> None:
    async def story(desk: Desk) -> None:
        await desk.run(HOLD)
        await desk.execute("exit 9")
        assert await desk.ended("e") == 9
        assert await refused(desk.kill(signal.SIGTERM, "e")) == Code.NOT_FOUND
        assert (await desk.delete("e")).exit_status == 9
        assert await refused(desk.state("e")) == Code.NOT_FOUND
        assert (await desk.state()).status == process_pb2.RUNNING

    assert play(story).topics[:5] == ["create", "start", "exec-added", "exec-started", "exit e"]


def test_an_exec_is_killed_alone(play: Play) -> None:
    async def story(desk: Desk) -> None:
        await desk.run(HOLD)
        await desk.execute(HOLD)
        assert await refused(desk.delete("e")) == Code.FAILED_PRECONDITION
        await desk.kill(signal.SIGKILL, "e")
        assert await desk.ended("e") == 137
        assert (await desk.state()).status == process_pb2.RUNNING

    play(story)


def test_execs_end_before_the_task_and_are_told_before_it(play: Play) -> None:
    async def story(desk: Desk) -> None:
        await desk.run(HOLD)
        for number in range(3):
            await desk.execute(HOLD, f"e{number}")
        await desk.kill(signal.SIGKILL)
        assert await desk.ended() == 137
        assert [await desk.ended(f"e{number}") for number in range(3)] == [137] * 3

    topics = play(story).topics
    assert topics[-2:] == ["exit", "delete"]
    assert set(topics[-5:-2]) == {"exit e0", "exit e1", "exit e2"}


def test_a_task_that_ends_while_an_exec_starts_is_told_after_it(play: Play) -> None:
    async def story(desk: Desk) -> None:
        await desk.run(HOLD)
        await desk.add(HOLD)
        starting = asyncio.ensure_future(desk.service.start(pb.StartRequest(id="a", exec_id="e")))
        await asyncio.sleep(0)
        await desk.kill(signal.SIGKILL)
        await desk.ended()
        await asyncio.wait({starting})
        assert (await desk.state("e")).status == process_pb2.STOPPED

    topics = play(story).topics
    assert topics.index("exit") > max((number for number, topic in enumerate(topics) if topic == "exit e"), default=0)


def test_an_exec_without_a_process_takes_no_signal(play: Play) -> None:
    async def story(desk: Desk) -> None:
        await desk.run(HOLD)
        await desk.add(HOLD)
        assert await refused(desk.kill(signal.SIGKILL, "e")) == Code.FAILED_PRECONDITION
        assert (await desk.delete("e")).pid == 0

    play(story)


def test_an_exec_that_cannot_start_says_why_and_has_ended(play: Play) -> None:
    async def story(desk: Desk) -> None:
        await desk.run(HOLD)
        request = pb.ExecProcessRequest(id="a", exec_id="e")
        request.spec.value = json.dumps(
            {"args": ["/no-such-program"], "cwd": "/", "env": [], "user": {"uid": 0, "gid": 0}}
        ).encode()
        desk.service.execute(request)
        with pytest.raises(Exception, match=r"(?i)no such file") as caught:
            await desk.service.start(pb.StartRequest(id="a", exec_id="e"))
        assert rpc_error(caught.value).code == Code.FAILED_PRECONDITION
        assert await desk.ended("e") == 125
        assert await refused(desk.kill(signal.SIGKILL, "e")) == Code.NOT_FOUND
        await desk.delete("e")

    play(story)


def test_an_exec_is_added_once_and_only_with_a_process(play: Play) -> None:
    async def story(desk: Desk) -> None:
        await desk.create(HOLD)
        assert await refused(desk.add(HOLD)) == Code.FAILED_PRECONDITION
        await desk.service.start(pb.StartRequest(id="a"))
        await desk.add(HOLD)
        assert await refused(desk.add(HOLD)) == Code.ALREADY_EXISTS
        empty = pb.ExecProcessRequest(id="a", exec_id="f")
        with pytest.raises(RpcError, match="expected an object of JSON"):
            desk.service.execute(empty)

    play(story)


def test_whoever_asks_after_a_fault_gets_one_sentence() -> None:
    assert "\n" not in str(rpc_error(RpcError(Code.NOT_FOUND, "task a is not here")))
