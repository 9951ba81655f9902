"""Every example is what its page says: it builds, is pushed, runs, and answers as shown."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from examples.toolchain.run import MissingTool
from tests.docs.blocks import blocks
from tests.examples.folders import FOLDERS, ExampleWalk, committed, warm
from tests.support.ports import free_ports
from tests.support.registry import registry

SMALL = 100 * 1024


def named(folder: Path) -> str:
    return folder.name


def built(folder: Path, out: Path) -> Path:
    """What the folder's one line builds; skips on a machine without its compiler."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**os.environ, **warm(), "PATH": path}
    done = subprocess.run(
        ["sh", folder / "build.sh", out], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode and MissingTool.__name__ in done.stderr:
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stderr
    return out


def test_there_are_examples() -> None:
    assert len(FOLDERS) == 11


@pytest.mark.toolchain
@pytest.mark.parametrize("folder", [each for each in FOLDERS if committed(each)], ids=named)
def test_a_committed_file_is_what_its_source_builds(folder: Path, tmp_path: Path) -> None:
    kept = committed(folder)
    assert kept is not None
    assert kept.stat().st_size <= SMALL
    assert built(folder, tmp_path / "app.wasm").read_bytes() == kept.read_bytes()


@pytest.mark.toolchain
@pytest.mark.parametrize("folder", FOLDERS, ids=named)
def test_the_page_of_an_example_holds_with_a_layout_folder(folder: Path, tmp_path: Path) -> None:
    if not committed(folder):
        built(folder, tmp_path / "app.wasm")
    assert faults(folder, tmp_path, {"localhost:5000/": "oci:shelf-"}) == []


@pytest.mark.toolchain
@pytest.mark.parametrize("folder", [each for each in FOLDERS if committed(each)], ids=named)
def test_the_page_of_an_example_holds_with_a_real_registry(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "registry").mkdir()
    with registry(tmp_path / "registry") as server:
        assert faults(folder, tmp_path, {"localhost:5000": server.host}) == []


def faults(folder: Path, scratch: Path, stands_for: dict[str, str]) -> list[str]:
    """What does not do as the page says, in a copy of the folder, at addresses of this machine."""
    port, origin, refused = free_ports(3)
    addresses = {"8080": str(port), "9000": str(origin), "9001": str(refused)}
    walk = ExampleWalk(scratch, port, addresses | stands_for).copied(folder)
    return walk.faults(list(blocks(folder / "README.md")))
