"""What a Pod asks for beside its guest, on real containerds: names, namespaces, sysctls, identities, privileges."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.node.test_confinement import status
from tests.node.test_grants import Files, folder
from tests.node.test_guests import guest, run
from tests.node.test_sidecars import shell
from tests.support.containerd import Containerd
from tests.support.cri import CriError
from tests.support.cri_configs import Mounted, PodSpec

pytestmark = [pytest.mark.peer, pytest.mark.slow, pytest.mark.usefixtures("origin")]


def seen_by(pid: int, *command: str) -> str:
    """What a program says in a process's network and uts namespaces."""
    entered = ["nsenter", "--net", "--uts", f"--target={pid}", *command]
    return subprocess.run(entered, check=True, capture_output=True, text=True).stdout.strip()


def test_a_guest_is_in_the_pod_that_was_asked_for(node: Containerd) -> None:
    sysctls = {"net.ipv4.ip_local_port_range": "20000\t30000", "kernel.shm_rmid_forced": "1"}
    pod = node.run(PodSpec("named", sysctls=sysctls), "wherry")
    container = run(pod, "wasm-hold")
    assert seen_by(container.pid, "hostname") == "named"
    assert seen_by(container.pid, "cat", "/proc/sys/net/ipv4/ip_local_port_range").split() == ["20000", "30000"]
    assert pod.ip in seen_by(container.pid, "ip", "-o", "address")
    beside = pod.start(shell("cat /proc/sys/kernel/shm_rmid_forced"))
    assert (beside.ended().exit_code, beside.out()) == (0, "1\n")


def test_a_sysctl_that_is_none_is_one_sentence(node: Containerd) -> None:
    with pytest.raises(CriError, match=r"start/instantiate: the pod's namespaces: .*net/ipv4/no_such"):
        node.run(PodSpec("wrong", sysctls={"net.ipv4.no_such": "1"}), "wherry")


def test_a_guest_keeps_its_processes_to_itself_in_a_shared_process_namespace(node: Containerd) -> None:
    pod = node.run(PodSpec("shared", share_processes=True), "wherry")
    container = run(pod, "wasm-hold")
    beside = pod.start(shell("for each in /proc/[0-9]*/comm; do cat $each; done"))
    assert beside.ended().exit_code == 0
    assert "wherry-worker" not in beside.out()
    assert "holder" in beside.out()
    assert container.status().state == "running"


def test_a_user_namespace_is_refused_with_its_cure(node: Containerd) -> None:
    """Where the kernel or containerd refuse it before, they say so."""
    with pytest.raises(CriError, match=r"hostUsers: true|idmap|user namespace|userns"):
        node.run(PodSpec("users", user_namespace=(100_000, 65_536)), "wherry")


def test_privileges_that_are_asked_for_are_not_given(node: Containerd) -> None:
    pod = node.run(PodSpec("privileged", privileged=True), "wherry")
    wishes: tuple[dict[str, Any], ...] = ({"privileged": True}, {"add_capabilities": ("ALL",)})
    for attempt, asked in enumerate(wishes):
        container = run(pod, "wasm-hold", attempt=attempt, **asked)
        said = status(container.pid)
        assert {said[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}
        assert (said["NoNewPrivs"], said["Seccomp"]) == ("1", "2")


@pytest.mark.parametrize("read_only", [False, True])
def test_a_root_that_is_read_only_or_not_is_the_same_to_a_guest(node: Containerd, read_only: bool) -> None:
    pod = node.run(PodSpec("root"), "wherry")
    assert pod.start(guest("wasm-files", "list", "/", read_only=read_only)).ended().exit_code == 1


def test_a_guest_reads_what_its_user_and_groups_may_read(node: Containerd, tmp_path: Path) -> None:
    """fsGroup: the kubelet gives the volume to the group, and the group to the container."""
    volume = folder(tmp_path / "volume", groups="group", users="user")
    for name, uid, gid, mode in (("groups", 0, 4242, 0o640), ("users", 1234, 0, 0o600)):
        os.chown(volume / name, uid, gid)
        (volume / name).chmod(mode)
    pod = node.run(PodSpec("identities"), "wherry")
    identities = (({"uid": 65532, "gid": 65532, "groups": (4242,)}, "groups"), ({"uid": 1234, "gid": 7}, "users"))
    for given, readable in identities:
        files = Files(pod, Mounted(volume, "/data", readonly=True), **given)
        assert {name: files("read", f"/data/{name}")[0] for name in ("groups", "users")} == {
            name: int(name != readable) for name in ("groups", "users")
        }
