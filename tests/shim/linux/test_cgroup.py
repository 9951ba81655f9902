"""Cgroups of the kernel that runs the tests: made, limited, joined, counted, frozen, emptied and removed.

The same tests hold for version 1 and 2.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from wherry_shim.linux.cgroup import Cgroup, CgroupError, Resources, open_cgroup
from wherry_shim.linux.cgroup.dbus import Refused, Systemd
from wherry_shim.linux.cgroup.hierarchy import hierarchies
from wherry_shim.linux.cgroup.v2 import V2Cgroup

MEBIBYTE = 1 << 20
MOUNTED = hierarchies(Path("/proc/self/mountinfo").read_text())
EATER = "import sys; sys.stdin.read(1); held = bytearray(64 << 20); print(len(held)); sys.stdin.read()"
SPINNER = "import sys; sys.stdin.read(1); print(sum(range(5_000_000)), flush=True); sys.stdin.read()"

Start = Callable[[str], "subprocess.Popen[str]"]


@pytest.fixture(params=["cgroupfs", "systemd"])
def cgroup(request: pytest.FixtureRequest) -> Iterator[Cgroup]:
    """A cgroup by either driver."""
    driver = _with_systemd if request.param == "systemd" else _by_files
    yield from driver(uuid.uuid4().hex[:8])


@pytest.fixture
def by_files() -> Iterator[Cgroup]:
    """A cgroup that nobody else keeps."""
    yield from _by_files(uuid.uuid4().hex[:8])


def _by_files(name: str) -> Iterator[Cgroup]:
    if os.geteuid() != 0:
        pytest.skip("needs the right to make cgroups: run the tests as root")
    one = open_cgroup(f"/wherrytest-{name}/pod/app")
    yield one
    _emptied(one)
    for parent in (os.path.dirname(one.path), os.path.dirname(os.path.dirname(one.path))):
        for root in {*MOUNTED.v1.values(), *filter(None, [MOUNTED.v2])}:
            with suppress(FileNotFoundError):
                os.rmdir(root + parent)


def _with_systemd(name: str) -> Iterator[Cgroup]:
    if os.geteuid() != 0 or not os.path.isdir("/run/systemd/system"):
        pytest.skip("needs systemd and root: ../shared/cluster/vm, or any ordinary host")
    slices = [f"wherrytest{name}-pod.slice", f"wherrytest{name}.slice"]
    one = open_cgroup(f"{slices[0]}:wherry:app")
    yield one
    _emptied(one)
    with Systemd() as systemd:
        for unit in slices:
            with suppress(Refused):
                systemd.run("StopUnit", "ss", unit, "replace")


def _emptied(cgroup: Cgroup) -> None:
    with suppress(CgroupError):
        cgroup.kill()
    cgroup.remove()


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a Python program that waits for a byte."""
    started: list[subprocess.Popen[str]] = []

    def one(program: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        return process

    yield one
    for process in started:
        process.kill()
        process.communicate()


def _go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("g")
    process.stdin.flush()


def _made(cgroup: Cgroup, resources: Resources, start: Start) -> None:
    """Create it with somebody in it: systemd keeps no empty scope."""
    cgroup.create(resources)
    cgroup.join(start("import sys; sys.stdin.read()").pid)


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def _ended(process: subprocess.Popen[str]) -> bool:
    return process.poll() is not None


def test_a_process_joins_and_its_children_are_born_there(cgroup: Cgroup, start: Start) -> None:
    cgroup.create({})
    assert cgroup.pids() == []
    process = start(r"import os, sys; sys.stdin.read(1); os.write(1, b'%d\n' % os.fork()); sys.stdin.read()")
    cgroup.join(process.pid)
    _go(process)
    numbers = {int(_line(process)), int(_line(process))}
    assert {process.pid, *numbers - {0}} == set(cgroup.pids())
    paths = Path(f"/proc/{process.pid}/cgroup").read_text().split()
    assert sum(line.endswith(cgroup.path) for line in paths) >= (len(MOUNTED.v1) or 1)


def test_limits_are_what_the_kernel_then_reports(cgroup: Cgroup, start: Start) -> None:
    memory = {"limit": 32 * MEBIBYTE, "swap": 32 * MEBIBYTE, "reservation": 16 * MEBIBYTE}
    ignored = {"hugepageLimits": [{"pageSize": "2MB", "limit": 0}], "devices": [{"allow": False}]}
    _made(cgroup, {"memory": memory, "pids": {"limit": 20}, **ignored}, start)
    statistics = cgroup.statistics()
    assert statistics.memory.limit == 32 * MEBIBYTE
    assert statistics.pids_limit == 20
    assert statistics.version == (2 if MOUNTED.unified else 1)


@pytest.mark.parametrize("limit", [24, 64])
def test_limits_change_in_place_up_and_down(cgroup: Cgroup, start: Start, limit: int) -> None:
    _made(cgroup, {"memory": {"limit": 32 * MEBIBYTE, "swap": 32 * MEBIBYTE}, "pids": {"limit": 20}}, start)
    cgroup.update({"memory": {"limit": limit * MEBIBYTE, "swap": limit * MEBIBYTE}})
    assert cgroup.statistics().memory.limit == limit * MEBIBYTE
    assert cgroup.statistics().pids_limit == 20


def test_limits_can_be_taken_away(cgroup: Cgroup, start: Start) -> None:
    _made(cgroup, {"memory": {"limit": 32 * MEBIBYTE, "swap": 32 * MEBIBYTE}, "pids": {"limit": 20}}, start)
    cgroup.update({"memory": {"limit": -1, "swap": -1}, "pids": {"limit": -1}, "cpu": {"quota": -1}})
    assert (cgroup.statistics().memory.limit, cgroup.statistics().pids_limit) == (None, None)


def test_what_eats_more_than_its_memory_is_killed_and_counted(cgroup: Cgroup, start: Start) -> None:
    cgroup.create({"memory": {"limit": 32 * MEBIBYTE, "swap": 32 * MEBIBYTE}})
    process = start(EATER)
    cgroup.join(process.pid)
    assert cgroup.oom_kills() == 0
    _go(process)
    assert process.wait(30) == -signal.SIGKILL
    assert cgroup.oom_kills() == 1
    assert cgroup.statistics().oom_kills == 1


def test_what_was_used_is_counted(cgroup: Cgroup, start: Start) -> None:
    cgroup.create({"memory": {"limit": 256 * MEBIBYTE}})
    process = start(SPINNER)
    cgroup.join(process.pid)
    before = cgroup.statistics()
    _go(process)
    _line(process)
    after = cgroup.statistics()
    assert after.cpu.usage - before.cpu.usage > 10_000_000
    assert after.cpu.user + after.cpu.system > 0
    assert 0 < after.memory.usage <= after.memory.peak
    assert after.pids == 1
    assert {"pgfault", "inactive_file"} <= after.memory.stat.keys()


def test_a_quota_throttles(cgroup: Cgroup, start: Start) -> None:
    cgroup.create({"cpu": {"quota": 10_000, "period": 100_000, "shares": 512, "cpus": "0", "mems": "0"}})
    process = start(SPINNER)
    cgroup.join(process.pid)
    _go(process)
    _line(process)
    cpu = cgroup.statistics().cpu
    assert cpu.throttled_periods > 0
    assert cpu.throttled > 0


def test_a_frozen_process_stands_still_until_it_is_thawed(cgroup: Cgroup, start: Start) -> None:
    cgroup.create({})
    process = start("import sys; print(sys.stdin.read(1), flush=True); sys.stdin.read()")
    cgroup.join(process.pid)
    cgroup.freeze()
    _go(process)
    assert process.stdout is not None
    assert select.select([process.stdout], [], [], 0.2)[0] == []
    cgroup.thaw()
    assert _line(process) == "g\n"


@pytest.mark.parametrize("frozen", [False, True])
def test_a_kill_leaves_nobody(cgroup: Cgroup, start: Start, frozen: bool) -> None:
    cgroup.create({})
    process = start(r"import os, sys; sys.stdin.read(1); os.fork(); os.fork(); os.write(1, b'x\n'); sys.stdin.read()")
    cgroup.join(process.pid)
    _go(process)
    assert [_line(process) for _ in range(4)] == ["x\n"] * 4
    assert len(cgroup.pids()) == 4
    if frozen:
        cgroup.freeze()
    cgroup.kill()
    assert cgroup.pids() == []
    assert process.wait(5) == -signal.SIGKILL


def test_removal_takes_cgroups_below_with_it_and_may_be_repeated(cgroup: Cgroup, start: Start) -> None:
    _made(cgroup, {}, start)
    here = [f"{root}{cgroup.path}" for root in (MOUNTED.v1.values() if not MOUNTED.unified else [MOUNTED.v2])]
    here = [path for path in here if os.path.isdir(path)]
    assert here
    for path in here:
        os.makedirs(f"{path}/below", exist_ok=True)
    cgroup.kill()
    cgroup.remove()
    cgroup.remove()
    assert not any(map(os.path.exists, here))


def test_removal_takes_nothing_above(by_files: Cgroup) -> None:
    by_files.create({})
    parents = [f"{root}{os.path.dirname(by_files.path)}" for root in {*MOUNTED.v1.values(), MOUNTED.v2}]
    parents = [path for path in parents if os.path.isdir(path)]
    by_files.remove()
    assert parents
    assert all(map(os.path.isdir, parents))


def test_a_cgroup_in_use_is_not_removed_and_the_error_names_the_process(cgroup: Cgroup, start: Start) -> None:
    cgroup.create({})
    process = start("import sys; sys.stdin.read()")
    cgroup.join(process.pid)
    with pytest.raises(CgroupError, match=rf"still in use by processes \[{process.pid}\]"):
        cgroup.remove()


def test_a_cgroup_that_is_gone_has_nobody_and_killed_nobody(cgroup: Cgroup) -> None:
    assert cgroup.pids() == []
    assert cgroup.oom_kills() == 0
    cgroup.kill()
    cgroup.remove()


def test_what_the_kernel_refuses_is_one_sentence(by_files: Cgroup) -> None:
    with pytest.raises(CgroupError, match=r"/cpuset.cpus: the kernel does not take 99999: "):
        by_files.create({"cpu": {"cpus": "99999"}})
    with pytest.raises(CgroupError, match=r"/cgroup.procs: the kernel does not take 4194305: No such process"):
        by_files.join(4194305)


@pytest.mark.skipif(MOUNTED.unified, reason="only version 1 has no unified resources: run on such a machine")
def test_version_1_refuses_resources_of_version_2(by_files: Cgroup) -> None:
    with pytest.raises(CgroupError, match=r"asks for memory.high, but this machine's cgroups are of version 1"):
        by_files.create({"unified": {"memory.high": "1000000"}})


@pytest.mark.parametrize(
    "path", ["", "/", "a/b", "/a/../..", "/a/", "a:b", "a.slice:b:c:d", "a:b:c", "-a.slice:b:c", "a.slice:b:../c"]
)
def test_a_path_of_no_known_form_is_refused(path: str) -> None:
    with pytest.raises(CgroupError, match=r"linux.cgroupsPath: got"):
        open_cgroup(path)


def test_an_empty_cgroup_stays_and_counts_until_it_is_removed(cgroup: Cgroup, start: Start) -> None:
    cgroup.create({})
    process = start("import sys; sys.stdin.read()")
    cgroup.join(process.pid)
    assert cgroup.pids() == [process.pid]
    process.kill()
    process.wait()
    assert cgroup.pids() == []
    statistics = cgroup.statistics()
    assert statistics.pids == 0
    assert statistics.cpu.usage > 0


def _born_in(cgroup: Cgroup) -> str:
    """Where a child that was cloned into the cgroup says that it is, by /proc/self/cgroup."""
    program = """
import os, sys
from wherry_shim.linux.clone import clone
if (pid := clone(cgroup=int(sys.argv[1]))) == 0:
    print(open("/proc/self/cgroup").read().split()[-1], flush=True)
    os._exit(0)
os.waitpid(pid, 0)
"""
    directory = cgroup.descriptor()
    assert directory is not None
    try:
        command = [sys.executable, "-c", program, str(directory)]
        return subprocess.run(command, check=True, capture_output=True, text=True, pass_fds=[directory]).stdout
    finally:
        os.close(directory)


@pytest.mark.skipif(MOUNTED.v2 is None, reason="needs cgroup v2: run on a machine where it is mounted")
def test_a_child_is_born_into_a_cgroup_of_version_2() -> None:
    if os.geteuid() != 0:
        pytest.skip("needs the right to make cgroups: run the tests as root")
    cgroup = V2Cgroup(f"/wherrytest-{uuid.uuid4().hex[:8]}", MOUNTED.v2 or "")
    cgroup.create({})
    try:
        assert _born_in(cgroup) == f"0::{cgroup.path}\n"
    finally:
        cgroup.remove()


@pytest.mark.skipif(not MOUNTED.unified, reason="needs cgroup v2 with controllers: ../shared/cluster/vm")
def test_a_child_is_born_into_what_either_driver_made(cgroup: Cgroup) -> None:
    cgroup.create({"memory": {"limit": 32 * MEBIBYTE}})
    assert _born_in(cgroup) == f"0::{cgroup.path}\n"


@pytest.mark.skipif(not MOUNTED.unified, reason="needs cgroup v2 with controllers: ../shared/cluster/vm")
def test_files_of_version_2_are_written_as_they_are_named(cgroup: Cgroup, start: Start) -> None:
    _made(cgroup, {"unified": {"memory.high": "16777216", "memory.oom.group": "1"}, "cpu": {"shares": 2000}}, start)
    directory = Path(f"{MOUNTED.v2}{cgroup.path}")
    assert (directory / "memory.high").read_text() == "16777216\n"
    assert (directory / "memory.oom.group").read_text() == "1\n"
    assert (directory / "cpu.weight").read_text() == "170\n"
