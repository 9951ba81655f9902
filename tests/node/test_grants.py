"""What a Wasm container is given: variables, volumes of every kind, single files; and what it is not given."""

from __future__ import annotations

import itertools
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.node.test_guests import annotated, guest
from tests.support.containerd import Containerd
from tests.support.cri import CriError
from tests.support.cri_configs import Mounted, PodSpec
from tests.support.pods import Pod
from tests.support.zygote import Zygote

pytestmark = [pytest.mark.peer, pytest.mark.slow, pytest.mark.usefixtures("origin")]

_ATTEMPTS = itertools.count(1)


def ran(pod: Pod, image: str, *args: str, **given: Any) -> tuple[int, str]:
    """The exit code and what was said."""
    container = pod.start(guest(image, *args, attempt=next(_ATTEMPTS), **given))
    return container.ended().exit_code, container.out()


class Files:
    """A pod and volumes; each call is a container that does one thing and ends."""

    def __init__(self, pod: Pod, *mounts: Mounted, **given: Any) -> None:
        self._pod, self._given = pod, {"mounts": mounts, **given}

    def __call__(self, *args: str) -> tuple[int, str]:
        return ran(self._pod, "wasm-files", *args, **self._given)

    def read(self, path: str) -> str:
        code, text = self("read", path)
        assert code == 0, text
        return text.removesuffix("\n")

    def names(self, path: str) -> list[str]:
        code, text = self("list", path)
        assert code == 0, text
        return sorted(text.split())


@pytest.fixture
def pod(node: Containerd, origin: Zygote) -> Pod:
    return node.run(PodSpec("grants"), "wherry")


def folder(path: Path, **files: str) -> Path:
    path.mkdir(parents=True)
    for name, text in files.items():
        (path / name).write_text(text)
    return path


# Variables


def test_a_guest_has_the_variables_that_its_annotation_names(node: Containerd) -> None:
    pod = node.run(annotated("wasm-echo", env=["MODE", "ABSENT"]), "wherry")
    _, said = ran(pod, "wasm-echo", env={"MODE": "fast", "SECRET": "other", "PATH": "/bin"})
    assert said.splitlines() == ["arg /app.wasm", "env MODE=fast"]


def test_without_an_annotation_a_guest_has_the_pods_variables_and_not_the_nodes(pod: Pod) -> None:
    env = {"MODE": "a b\tc=d", "EMPTY": "", "KUBERNETES_PORT": "1", "HOSTNAME": "x", "PATH": "/bin"}
    _, said = ran(pod, "wasm-echo", env=env)
    assert said.splitlines() == ["arg /app.wasm", "env EMPTY=", "env MODE=a b\tc=d"]


# Folders


def test_folders_are_given_as_they_are_mounted_one_inside_of_another(pod: Pod, tmp_path: Path) -> None:
    data, fixed = folder(tmp_path / "data"), folder(tmp_path / "fixed", given="fixed")
    inner = folder(tmp_path / "inner", given="inner")
    files = Files(
        pod,
        Mounted(inner, "/data/deep/inner", readonly=True),
        Mounted(data, "/data"),
        Mounted(fixed, "/srv/fixed", readonly=True),
    )
    assert files("write", "/data/made", "text") == (0, "")
    assert (data / "made").read_text() == "text"
    assert files.names("/data") == ["deep", "made"]
    assert files.read("/srv/fixed/given") == "fixed"
    assert files.read("/data/deep/inner/given") == "inner"
    for refused in ("/srv/fixed/given", "/srv/fixed/new", "/data/deep/inner/new"):
        code, said = files("write", refused, "x")
        assert (code, said) in {(1, "write: Read-only file system\n"), (1, "write: Operation not permitted\n")}
    assert files("list", "/srv")[0] == 1
    assert sorted(os.listdir(fixed)) == ["given"]


def test_only_annotated_folders_are_given(node: Containerd, tmp_path: Path) -> None:
    data, other = folder(tmp_path / "data", given="x"), folder(tmp_path / "other", given="x")
    pod = node.run(annotated("wasm-files", mounts=["/data"]), "wherry")
    files = Files(pod, Mounted(data, "/data"), Mounted(other, "/other"))
    assert files.read("/data/given") == "x"
    assert files("read", "/other/given")[0] == 1


def test_a_config_volume_is_read_through_its_links_before_and_after_an_update(pod: Pod, tmp_path: Path) -> None:
    """As the kubelet writes config maps, secrets and projected volumes: a version, a link to it, links in it."""
    volume = folder(tmp_path / "volume")
    for version in ("one", "two"):
        folder(volume / f"..{version}", key=version)
    (volume / "..data").symlink_to("..one")
    (volume / "key").symlink_to("..data/key")
    files = Files(pod, Mounted(volume, "/etc/app", readonly=True))
    assert files.read("/etc/app/key") == "one"
    (volume / "..data_tmp").symlink_to("..two")
    (volume / "..data_tmp").rename(volume / "..data")
    assert files.read("/etc/app/key") == "two"
    assert files("write", "/etc/app/key", "x")[0] == 1


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Path]:
    """An emptyDir of medium Memory."""
    path = folder(tmp_path / "memory")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", path], check=True)
    yield path
    subprocess.run(["umount", "--lazy", path], check=True)


def test_what_one_guest_writes_to_a_shared_volume_the_next_one_reads(pod: Pod, memory: Path) -> None:
    files = Files(pod, Mounted(memory, "/cache"))
    assert files("write", "/cache/made", "text") == (0, "")
    assert files.read("/cache/made") == "text"
    assert files("remove", "/cache/made") == (0, "")


def test_a_link_out_of_a_volume_leads_nowhere(pod: Pod, tmp_path: Path) -> None:
    volume, outside = folder(tmp_path / "volume"), folder(tmp_path / "outside", secret="x")
    (volume / "out").symlink_to(outside)
    (volume / "up").symlink_to("../outside")
    files = Files(pod, Mounted(volume, "/data"), Mounted(outside, "/granted"))
    assert [files("read", f"/data/{name}/secret")[0] for name in ("out", "up")] == [1, 1]
    for name in ("out", "up"):
        for mounted in (Mounted(volume, f"/data/{name}/new"), Mounted(outside / "secret", f"/data/{name}/new")):
            with pytest.raises(CriError, match=f"start/mount: mount /data/{name}/new"):
                Files(pod, Mounted(volume, "/data"), mounted)("list", "/data")
    assert os.listdir(outside) == ["secret"]


# Single files


def test_single_files_are_given_in_folders_that_hold_nothing_else(pod: Pod, tmp_path: Path) -> None:
    source = folder(tmp_path / "source", config="config", other="other", top="top", hidden="hidden")
    files = Files(
        pod,
        Mounted(source / "config", "/etc/app/config.yaml", readonly=True),
        Mounted(source / "other", "/etc/app/other.yaml", readonly=True),
        Mounted(source / "top", "/top.yaml", readonly=True),
    )
    assert files.names("/etc/app") == ["config.yaml", "other.yaml"]
    assert [files.read(f"/etc/app/{name}.yaml") for name in ("config", "other")] == ["config", "other"]
    assert files.read("/top.yaml") == "top"
    assert files.names("/") == ["etc", "top.yaml"]
    for path in ("/etc/app/config.yaml", "/etc/app/new", "/new"):
        assert files("write", path, "x")[0] == 1
    assert files("remove", "/etc/app/config.yaml")[0] == 1
    assert (source / "config").read_text() == "config"


def test_a_single_file_can_be_written_and_nothing_beside_it(pod: Pod, tmp_path: Path) -> None:
    source = folder(tmp_path / "source", state="old", fixed="fixed")
    files = Files(
        pod, Mounted(source / "state", "/var/lib/state"), Mounted(source / "fixed", "/var/lib/fixed", readonly=True)
    )
    assert files("write", "/var/lib/state", "new") == (0, "")
    assert (source / "state").read_text() == "new"
    assert files("write", "/var/lib/fixed", "x")[0] == files("write", "/var/lib/new", "x")[0] == 1
    assert files.read("/var/lib/fixed") == "fixed"


def test_a_single_file_lies_inside_of_a_folder(pod: Pod, tmp_path: Path) -> None:
    data, fixed = folder(tmp_path / "data", other="other"), folder(tmp_path / "fixed", state="below", other="other")
    source = folder(tmp_path / "source", file="file", state="old")
    files = Files(
        pod,
        Mounted(data, "/data"),
        Mounted(source / "file", "/data/deep/file", readonly=True),
        Mounted(fixed, "/fixed", readonly=True),
        Mounted(source / "state", "/fixed/state"),
    )
    assert files.read("/data/deep/file") == "file"
    assert files("write", "/data/deep/file", "x")[0] == 1
    assert files("write", "/data/deep/beside", "x") == files("write", "/data/other", "new") == (0, "")
    assert files("write", "/fixed/state", "new") == (0, "")
    assert (source / "state").read_text() == "new"
    assert files("write", "/fixed/other", "x")[0] == 1
    assert (data / "other").read_text() == "new"


# Refusals


@pytest.mark.parametrize("path", ["/", "/proc", "/proc/self", "/dev", "/dev/files/x", "/data/../etc", "//proc"])
def test_a_mount_where_the_worker_has_its_own_is_refused(pod: Pod, tmp_path: Path, path: str) -> None:
    with pytest.raises(CriError, match=r"start/mount: mount /.*: expected an absolute path without"):
        Files(pod, Mounted(folder(tmp_path / "volume"), path))("list", "/")


def test_what_is_no_file_or_folder_is_refused(pod: Pod, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(CriError, match=r"start/mount: mount /fifo: .* is neither a file nor a folder"):
        Files(pod, Mounted(tmp_path / "fifo", "/fifo"))("list", "/")


def test_a_read_only_volume_without_a_place_for_another_is_refused(pod: Pod, tmp_path: Path) -> None:
    data, inner = folder(tmp_path / "data"), folder(tmp_path / "inner")
    with pytest.raises(CriError, match="start/mount: mount /data/inner: cannot be mounted there"):
        Files(pod, Mounted(data, "/data", readonly=True), Mounted(inner, "/data/inner"))("list", "/data")
