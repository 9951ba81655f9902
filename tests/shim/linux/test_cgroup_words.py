"""What cgroups are asked for, in the words of OCI, of the kernel and of systemd: tables, no kernel."""

from __future__ import annotations

from typing import Any

import pytest

from wherry_shim.linux.cgroup import CgroupError
from wherry_shim.linux.cgroup.hierarchy import hierarchies
from wherry_shim.linux.cgroup.resources import Limits, limits
from wherry_shim.linux.cgroup.scope import Scope, bits, properties, scope
from wherry_shim.linux.cgroup.v2 import files, weight

HYBRID = """\
31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
33 31 0:30 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
34 33 0:30 /docker/1 /sys/fs/cgroup/memory/docker/1 rw,relatime - cgroup cgroup rw,memory
35 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,name=systemd
36 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw,nsdelegate
"""
UNIFIED = "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot\n"


def test_a_controller_is_there_when_its_hierarchy_is_mounted() -> None:
    found = hierarchies(HYBRID)
    assert found.v1 == {
        "cpu": "/sys/fs/cgroup/cpu,cpuacct",
        "cpuacct": "/sys/fs/cgroup/cpu,cpuacct",
        "memory": "/sys/fs/cgroup/memory",
        "name=systemd": "/sys/fs/cgroup/systemd",
    }
    assert (found.v2, found.unified) == ("/sys/fs/cgroup/unified", False)


def test_version_2_rules_when_it_is_alone() -> None:
    assert (hierarchies(UNIFIED).v2, hierarchies(UNIFIED).unified) == ("/sys/fs/cgroup", True)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (
            "kubepods-besteffort-pod1_2.slice:cri-containerd:abc",
            Scope(
                "cri-containerd-abc.scope",
                "kubepods-besteffort-pod1_2.slice",
                "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod1_2.slice/cri-containerd-abc.scope",
            ),
        ),
        (":wherry:abc", Scope("wherry-abc.scope", "system.slice", "/system.slice/wherry-abc.scope")),
        ("-.slice:wherry:abc", Scope("wherry-abc.scope", "-.slice", "/wherry-abc.scope")),
    ],
)
def test_a_scope_lies_in_its_expanded_slice(path: str, expected: Scope) -> None:
    assert scope(path) == expected


@pytest.mark.parametrize(
    ("resources", "says"),
    [
        ({"memory": {"limit": "1Gi"}}, "linux.resources.memory.limit: got '1Gi', expected an integer"),
        ({"memory": []}, None),
        ({"cpu": 3}, "linux.resources.cpu: got 3, expected a mapping"),
        ({"cpu": {"cpus": 3}}, "linux.resources.cpu.cpus: got 3, expected a list such as 0-2,7"),
        ({"unified": {"../x.y": "1"}}, "linux.resources.unified: got '../x.y'"),
        ({"unified": {"memory.max": 1}}, "linux.resources.unified: got 'memory.max': 1"),
    ],
)
def test_resources_of_another_shape_are_refused(resources: dict[str, Any], says: str | None) -> None:
    if says is None:
        assert limits(resources) == Limits()
        return
    with pytest.raises(CgroupError) as caught:
        limits(resources)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Limits(), {}),
        (Limits(memory=100, swap=150), {"memory.max": "100", "memory.swap.max": "50"}),
        (Limits(memory=100, swap=100), {"memory.max": "100", "memory.swap.max": "0"}),
        (Limits(memory=-1), {"memory.max": "max", "memory.swap.max": "max"}),
        (Limits(memory=100, swap=-1), {"memory.max": "100", "memory.swap.max": "max"}),
        (Limits(reservation=50), {"memory.low": "50"}),
        (Limits(shares=1024), {"cpu.weight": "100"}),
        (Limits(quota=5000), {"cpu.max": "5000 100000"}),
        (Limits(quota=-1, period=50_000), {"cpu.max": "max 50000"}),
        (Limits(cpus="0-1", mems="0", pids=-1), {"cpuset.cpus": "0-1", "cpuset.mems": "0", "pids.max": "max"}),
        (Limits(memory=100, unified={"memory.max": "90"}), {"memory.max": "90"}),
    ],
)
def test_limits_are_files_of_version_2(wanted: Limits, expected: dict[str, str]) -> None:
    assert dict(files(wanted)) == expected


@pytest.mark.parametrize("wanted", [Limits(swap=100), Limits(memory=100, swap=50), Limits(memory=-1, swap=50)])
def test_swap_without_the_memory_that_it_includes_is_refused(wanted: Limits) -> None:
    with pytest.raises(CgroupError, match=r"linux.resources.memory.swap: got \d+ with a memory limit of"):
        list(files(wanted))


@pytest.mark.parametrize(
    ("shares", "expected"), [(0, 1), (2, 1), (1024, 100), (2000, 170), (1 << 18, 10_000), (1 << 30, 10_000)]
)
def test_shares_become_the_weight_that_runc_gives(shares: int, expected: int) -> None:
    assert weight(shares) == expected


FULL = Limits(
    memory=100, swap=150, reservation=50, shares=1024, quota=1234, period=100_000, cpus="0-2,9", mems="0", pids=7
)
INFINITY = 2**64 - 1


def test_limits_are_properties_of_a_unit_on_version_2() -> None:
    assert dict(properties(FULL, 2)) == {
        "MemoryMax": ("t", 100),
        "MemorySwapMax": ("t", 50),
        "MemoryLow": ("t", 50),
        "CPUWeight": ("t", 100),
        "AllowedCPUs": ("ay", b"\x07\x02"),
        "AllowedMemoryNodes": ("ay", b"\x01"),
        "CPUQuotaPerSecUSec": ("t", 20_000),
        "CPUQuotaPeriodUSec": ("t", 100_000),
        "TasksMax": ("t", 7),
    }


def test_limits_are_properties_of_a_unit_on_version_1() -> None:
    assert dict(properties(FULL, 1)) == {
        "MemoryLimit": ("t", 100),
        "CPUShares": ("t", 1024),
        "CPUQuotaPerSecUSec": ("t", 20_000),
        "CPUQuotaPeriodUSec": ("t", 100_000),
        "TasksMax": ("t", 7),
    }


@pytest.mark.parametrize("version", [1, 2])
def test_limits_taken_away_are_infinite(version: int) -> None:
    values = {value for _, (_, value) in properties(Limits(memory=-1, quota=-1, pids=-1), version)}
    assert values == {INFINITY}


def test_processors_that_nobody_has_are_cut_and_nonsense_is_refused() -> None:
    assert len(bits("0-99999999999")) == 1024
    for text in ("", "a", "1-b", "-1"):
        with pytest.raises(CgroupError, match="expected a list such as 0-2,7"):
            bits(text)
