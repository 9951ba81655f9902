"""What is asked of runc and when, and what is left when it fails: by the real one, and by programs in its place."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.any_pb2 import Any as Packed

from tests.shim.task.conftest import subreaper
from tests.support import programs, task_workloads
from wherry.errors import StartError
from wherry_shim.proto.runc_options_pb2 import Options
from wherry_shim.proto.runtime_options_pb2 import Options as OtherOptions
from wherry_shim.proto.task_pb2 import CreateTaskRequest
from wherry_shim.proto.typeurl import packed
from wherry_shim.reaper import Reaper
from wherry_shim.task.runtime import Runtime, configured

DEFAULT = Runtime("runc", Path("/run/wherry/runc"))
Play = Callable[[Callable[[Reaper], Coroutine[Any, Any, None]]], None]


@pytest.fixture
def play() -> Iterator[Play]:
    async def played(story: Callable[[Reaper], Coroutine[Any, Any, None]]) -> None:
        async with asyncio.timeout(60):
            await story(Reaper(asyncio.get_running_loop()))

    def run(story: Callable[[Reaper], Coroutine[Any, Any, None]]) -> None:
        before = set(os.listdir("/proc/self/fd"))
        asyncio.run(played(story))
        assert set(os.listdir("/proc/self/fd")) == before

    with subreaper():
        yield run


@pytest.fixture
def request_(folder: Path) -> CreateTaskRequest:
    programs.root()
    return task_workloads.bundle(folder, "sleep 600", "c")


def stand_in(folder: Path, text: str) -> str:
    """A program in runc's place, which notes its commands, and ends with 1 and a sentence for those in the pattern."""
    program = folder / "stand-in"
    program.write_text(
        f'#!/bin/sh\nPATH=/bin:/usr/bin\nlog=$4\nshift 6\necho "$1" >>{folder}/called\n'
        f'fail() {{ echo "{{\\"level\\":\\"error\\",\\"msg\\":\\"$1\\"}}" >$log; exit 1; }}\ncase $1 in\n{text}\nesac\n'
    )
    program.chmod(0o755)
    return str(program)


def called(folder: Path) -> list[str]:
    path = folder / "called"
    return path.read_text().split() if path.exists() else []


def mounted(request: CreateTaskRequest) -> bool:
    return f" {request.bundle}/rootfs " in Path("/proc/self/mountinfo").read_text()


def left(request: CreateTaskRequest) -> list[str]:
    """Files that were not there before."""
    files = (path for path in Path(request.bundle).rglob("*") if path.is_file())
    return sorted(str(path.relative_to(request.bundle)) for path in files if path.name != "config.json")


# Options


@pytest.mark.parametrize("nothing", [Packed(), packed(Options()), packed(OtherOptions())])
def test_without_options_the_nodes_own_runtime_has_a_root_for_each_namespace(nothing: Packed) -> None:
    assert configured(DEFAULT, "k8s.io", nothing) == Runtime("runc", Path("/run/wherry/runc/k8s.io"))


def test_options_of_containerds_own_shim_are_honoured() -> None:
    given = Options(binary_name="/bin/crun", root="/run/crun", systemd_cgroup=True, no_new_keyring=True)
    expected = Runtime("/bin/crun", Path("/run/crun/k8s.io"), True, ("--no-new-keyring",))
    assert configured(DEFAULT, "k8s.io", packed(given)) == expected


def test_other_options_are_refused_by_name() -> None:
    with pytest.raises(
        StartError, match=r"got 'runtimeoptions\.v1\.Options', expected 'containerd\.runc\.v1\.Options'"
    ):
        configured(DEFAULT, "k8s.io", packed(OtherOptions(config_path="/etc/x")))
    broken = Packed(type_url="containerd.runc.v1.Options", value=b"\xff")
    with pytest.raises(StartError, match="runtime options"):
        configured(DEFAULT, "k8s.io", broken)


# Calls


def test_a_runtime_that_is_not_there_is_one_sentence_and_leaves_nothing(
    play: Play, folder: Path, request_: CreateTaskRequest
) -> None:
    async def story(reaper: Reaper) -> None:
        sidecar = task_workloads.sidecar(request_, reaper, folder, str(folder / "nothing"))
        with pytest.raises(StartError, match="nothing: No such file or directory"):
            await sidecar.create()

    play(story)
    assert not mounted(request_)
    assert left(request_) == []


def test_a_creation_that_fails_half_way_is_undone_by_one_delete(
    play: Play, folder: Path, request_: CreateTaskRequest
) -> None:
    async def story(reaper: Reaper) -> None:
        program = stand_in(folder, "create) fail 'no room for it' ;;")
        sidecar = task_workloads.sidecar(request_, reaper, folder, program)
        with pytest.raises(StartError, match="stand-in create: no room for it"):
            await sidecar.create()
        await sidecar.destroy()

    play(story)
    assert called(folder) == ["create", "delete"]
    assert not mounted(request_)
    assert left(request_) == []


def test_a_stream_that_is_not_there_asks_nothing_of_the_runtime(
    play: Play, folder: Path, request_: CreateTaskRequest
) -> None:
    request_.stdout = str(folder / "vanished")

    async def story(reaper: Reaper) -> None:
        with pytest.raises(StartError, match="vanished: No such file or directory"):
            await task_workloads.sidecar(request_, reaper, folder, stand_in(folder, "")).create()

    play(story)
    assert called(folder) == []
    assert not mounted(request_)


def test_a_runtime_that_sends_no_terminal_is_one_sentence(
    play: Play, folder: Path, request_: CreateTaskRequest
) -> None:
    request_.terminal = True

    async def story(reaper: Reaper) -> None:
        with pytest.raises(StartError, match="the runtime sent no terminal"):
            await task_workloads.sidecar(request_, reaper, folder, stand_in(folder, "")).create()

    play(story)
    assert list(folder.glob("*.console")) == []
    assert called(folder) == ["create", "delete"]


def test_a_delete_that_failed_is_tried_again(play: Play, folder: Path, request_: CreateTaskRequest) -> None:
    async def story(reaper: Reaper) -> None:
        program = stand_in(folder, f"delete) [ -e {folder}/again ] || {{ touch {folder}/again; fail busy; }} ;;")
        sidecar = task_workloads.sidecar(request_, reaper, folder, program)
        with pytest.raises(StartError, match="busy"):
            await sidecar.create()  # the stand-in writes no pid
        assert not mounted(request_)
        assert left(request_) == ["wherry.undo/c"]
        await sidecar.destroy()

    play(story)
    assert called(folder) == ["create", "delete", "delete"]
    assert left(request_) == []


def test_a_container_costs_three_calls_of_runc(play: Play, folder: Path, request_: CreateTaskRequest) -> None:
    real = programs.installed("runc")
    program = stand_in(folder, "")
    counting = Path(program)
    counting.write_text(f'#!/bin/sh\necho "$7" >>{folder}/called\nexec {real} "$@"\n')

    async def story(reaper: Reaper) -> None:
        sidecar = task_workloads.sidecar(request_, reaper, folder, program)
        born = await sidecar.create()
        assert mounted(request_)
        await sidecar.start()
        sidecar.cgroup.kill()
        assert await born.ended == 137
        await sidecar.destroy()
        await sidecar.destroy()

    play(story)
    assert called(folder) == ["create", "start", "delete"]
    assert not mounted(request_)
    assert left(request_) == []
    for group in Path("/sys/fs/cgroup").glob(f"*/wherry-task-{os.getpid()}"):
        group.rmdir()
