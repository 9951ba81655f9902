"""What a worker can see and do, read from outside of it. Whatever grows here is a hole, or a decision."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.node.test_guests import annotated, guest, listens
from tests.support.containerd import Containerd
from tests.support.cri_configs import Mounted
from tests.support.pods import until
from tests.support.zygote import Zygote

pytestmark = [pytest.mark.peer, pytest.mark.slow]


@pytest.fixture
def processes(node: Containerd, origin: Zygote, tmp_path: Path) -> list[int]:
    """All processes of a guest that serves, with one folder granted and one mounted and not granted."""
    for name in ("granted", "other"):
        (tmp_path / name).mkdir()
    mounts = (Mounted(tmp_path / "granted", "/data/in", readonly=True), Mounted(tmp_path / "other", "/other"))
    pod = node.run(annotated("wasm-http", "http", mounts=["/data/in"]), "wherry")
    container = pod.start(guest("wasm-http", uid=65532, gid=65532, groups=(7,), mounts=mounts))
    until(lambda: listens(pod.ip))
    return inside(container.pid)


def inside(pid: int) -> list[int]:
    """The processes of its pid namespace."""
    namespace = os.readlink(f"/proc/{pid}/ns/pid")
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if os.readlink(folder / "ns/pid") == namespace:
                found.append(int(folder.name))
        except OSError:
            continue
    return sorted(found)


def status(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def test_no_process_has_a_right_that_its_user_does_not_have(processes: list[int]) -> None:
    for pid in processes:
        said = status(pid)
        assert {said[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}
        assert (said["NoNewPrivs"], said["Seccomp"]) == ("1", "2")
        assert (said["Uid"].split(), said["Gid"].split()) == (["65532"] * 4, ["65532"] * 4)
        assert said["Groups"].split() == ["7", "65532"]


def test_the_root_holds_what_was_granted_and_nothing_else(processes: list[int]) -> None:
    root = Path(f"/proc/{processes[0]}/root")
    assert sorted(os.listdir(root)) == ["data", "dev", "proc"]
    assert os.listdir(root / "data") == ["in"]
    assert os.listdir(root / "dev") == ["null"]


def test_everything_mounted_is_read_only_or_of_the_kernel(processes: list[int]) -> None:
    rows = [line.split() for line in Path(f"/proc/{processes[0]}/mountinfo").read_text().splitlines()]
    mounts = {row[4]: set(row[5].split(",")) for row in rows}
    assert set(mounts) == {"/", "/data/in", "/dev/null", "/proc"}
    assert {"ro", "nosuid", "nodev", "noexec"} <= mounts["/"]
    assert {"ro", "nosuid", "nodev", "noexec"} <= mounts["/data/in"]
    assert {"nosuid", "nodev", "noexec"} <= mounts["/proc"]


def test_no_process_of_the_node_is_seen(processes: list[int]) -> None:
    seen = [name for name in os.listdir(f"/proc/{processes[0]}/root/proc") if name.isdigit()]
    assert len(seen) == len(processes)


def test_namespaces_are_the_pods_or_its_own(processes: list[int]) -> None:
    for kind in ("mnt", "pid", "net", "ipc", "uts"):
        assert os.readlink(f"/proc/{processes[0]}/ns/{kind}") != os.readlink(f"/proc/self/ns/{kind}"), kind


def test_open_files_are_its_streams_its_code_and_what_it_serves_with(processes: list[int], node: Containerd) -> None:
    opened = [os.readlink(link) for pid in processes for link in Path(f"/proc/{pid}/fd").iterdir()]
    strange = [
        path
        for path in opened
        if not path.startswith(("pipe:", "socket:", "anon_inode:", "/memfd:"))
        and path != "/dev/null"
        and not path.endswith((".cwasm", ".metrics", ".trap", "-stdout", "-stderr"))
    ]
    assert strange == []


def test_the_environment_is_not_the_nodes(processes: list[int], origin: Zygote) -> None:
    """What exec gave the zygote stays readable in /proc/<pid>/environ of its descendants: it must be harmless."""
    for pid in processes:
        given = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        names = {each.partition(b"=")[0].decode() for each in given if each}
        assert not {name for name in names if "SECRET" in name or "TOKEN" in name or "PASSWORD" in name}
