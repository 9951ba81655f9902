"""A .wasm in a container's root filesystem: found without leaving it, run from a copy."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support import artifacts
from tests.support.artifacts import MODULE
from tests.support.content_store import Pulled
from wherry.errors import StartError
from wherry.oci.digest import digest_of, hex_of
from wherry.plan.annotation import PREFIX
from wherry.plan.model import RunPlan
from wherry_shim.artifact import chain, rootfs
from wherry_shim.artifact.chain import planned
from wherry_shim.artifact.rootfs import open_inside, walk

OTHER = b"\0asm\1\0\0\0" + bytes(8)


@pytest.fixture
def pulled(tmp_path: Path) -> Pulled:
    found = Pulled(tmp_path)
    (tmp_path / "rootfs" / "app").mkdir(parents=True)
    (tmp_path / "rootfs" / "app.wasm").write_bytes(MODULE)
    (tmp_path / "outside.wasm").write_bytes(OTHER)
    return found


def _plan(pulled: Pulled, program: str = "/app.wasm", **container: Any) -> RunPlan:
    image = pulled.pull(artifacts.compat())
    return planned(pulled.task(image, args=(program, "x"), **container), pulled.node, pulled.records)


def _refusal(pulled: Pulled, program: str = "/app.wasm") -> str:
    with pytest.raises(StartError) as caught:
        _plan(pulled, program)
    assert caught.value.reason == "artifact"
    return str(caught.value)


def test_the_copy_in_the_cache_runs(pulled: Pulled) -> None:
    plan = _plan(pulled)
    copy = pulled.node.cache / "blobs" / "sha256" / hex_of(digest_of(MODULE))
    assert (plan.wasm.path, plan.wasm.digest, plan.argv) == (str(copy), digest_of(MODULE), ("/app.wasm", "x"))
    (pulled.folder / "rootfs" / "app.wasm").write_bytes(OTHER)
    assert copy.read_bytes() == MODULE


def test_a_second_start_finds_the_copy(pulled: Pulled) -> None:
    inodes = {Path(_plan(pulled).wasm.path).stat().st_ino for _ in range(2)}
    assert len(inodes) == 1


def test_the_annotation_must_name_the_files_digest(pulled: Pulled) -> None:
    def annotated(digest: str) -> dict[str, str]:
        known = {"v": 1, "run": "command", "wasm": digest, "limits": {"memory": 65536, "concurrency": 1}}
        return {f"{PREFIX}app": json.dumps(known)}

    assert _plan(pulled, pod_annotations=annotated(digest_of(MODULE))).limits.memory == 65536
    with pytest.raises(StartError, match=digest_of(OTHER)) as caught:
        _plan(pulled, pod_annotations=annotated(digest_of(OTHER)))
    assert caught.value.reason == "artifact"


@pytest.mark.parametrize(
    ("target", "program"),
    [
        pytest.param("app.wasm", "/link.wasm", id="beside it"),
        pytest.param("/app.wasm", "/link.wasm", id="from the top"),
        pytest.param("../../../app.wasm", "/app/link.wasm", id="above the top"),
    ],
)
def test_links_lead_within_the_root(target: str, program: str, pulled: Pulled) -> None:
    (pulled.folder / "rootfs" / program.strip("/")).symlink_to(target)
    assert _plan(pulled, program).wasm.digest == digest_of(MODULE)


@pytest.mark.parametrize("program", ["app.wasm", "./app.wasm", "/app/../app.wasm", "//app.wasm"])
def test_the_command_may_be_written_in_many_ways(program: str, pulled: Pulled) -> None:
    assert _plan(pulled, program).wasm.digest == digest_of(MODULE)


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _endless(path: Path) -> None:
    path.touch()
    os.truncate(path, 1 << 40)


def _outside(path: Path) -> None:
    path.symlink_to(path.parents[1] / "outside.wasm")


def _proc(path: Path) -> None:
    path.symlink_to("/proc/self/exe")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        pytest.param(_outside, "No such file", id="a link out of the root"),
        pytest.param(_proc, "No such file", id="a link to a process"),
        pytest.param(_fifo, "not a plain file", id="a pipe"),
        pytest.param(Path.mkdir, "not a plain file", id="a folder"),
        pytest.param(lambda path: path.symlink_to(path.name), "Too many levels", id="a link to itself"),
        pytest.param(_endless, "more than", id="endless"),
        pytest.param(lambda path: None, "No such file", id="nothing"),
    ],
)
def test_what_is_no_file_of_the_image_is_refused(make: Callable[[Path], object], message: str, pulled: Pulled) -> None:
    make(pulled.folder / "rootfs" / "bad.wasm")
    assert message in _refusal(pulled, "/bad.wasm")
    assert list((pulled.folder / "cache").rglob("*.wasm")) == []


def test_a_command_that_is_no_wasm_in_an_ordinary_image_is_refused(pulled: Pulled) -> None:
    assert "expected a .wasm" in _refusal(pulled, "/bin/sh")


def test_a_cache_that_is_full_is_one_clear_error(pulled: Pulled) -> None:
    pulled.node.cache.write_text("no folder")
    message = _refusal(pulled)
    assert str(pulled.node.cache) in message
    assert "on the node" in message


def test_a_file_above_the_limit_is_refused(pulled: Pulled, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain, "WASM_LIMIT", 10)
    assert "more than 10" in _refusal(pulled)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    (root / "a" / "b").mkdir(parents=True)
    (root / "a" / "b" / "file").write_text("inside")
    (root / "link").symlink_to("a")
    (root / "a" / "top").symlink_to("/a/b/file")
    (tmp_path / "file").write_text("outside")
    (root / "out").symlink_to("../file")
    return root


def _walk(root: Path, path: str) -> int:
    folder = os.open(root, os.O_PATH | os.O_DIRECTORY)
    try:
        return walk(folder, path)
    finally:
        os.close(folder)


def _read(descriptor: int) -> str:
    with os.fdopen(descriptor) as file:
        return file.read()


@pytest.mark.parametrize("path", ["/a/b/file", "a/b/file", "//a/./b//file"])
@pytest.mark.parametrize("way", [open_inside, _walk])
def test_both_ways_open_a_plain_path(way: Callable[[Path, str], int], path: str, tree: Path) -> None:
    assert _read(way(tree, path)) == "inside"


@pytest.mark.parametrize("path", ["/out", "/link/b/file", "/a/top", "/../file", "/a/../a/b/file", "/a/b/file/x", ""])
def test_without_openat2_no_link_and_no_way_up_is_followed(path: str, tree: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    if path:
        with pytest.raises(OSError):  # noqa: PT011 - which of several does not matter
            _walk(tree, path)
    else:
        os.close(_walk(tree, path))
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_kernel_without_openat2_is_walked_through(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rootfs, "_OPENAT2", 100_000)
    assert _read(open_inside(tree, "/a/b/file")) == "inside"
    with pytest.raises(OSError, match=r"Not a directory|Too many levels"):
        open_inside(tree, "/link/b/file")
