"""The locks of the images: what pyproject.toml asks for, in wheels whose bytes are known, for both processors."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT

LOCKS = ROOT / "images" / "locks"
NAMES = ("agent", "build", "operator", "runner")
PROCESSORS = ("x86_64-manylinux_2_28", "aarch64-manylinux_2_28")
PYTHONS = ("3.11", "3.13")
UNREACHABLE = ("dns error", "connection", "connect error", "timed out", "Failed to fetch")


def uv(*arguments: str | Path) -> str:
    """Skips the test where the package index cannot be asked."""
    command = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--no-header", "--no-annotate", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=300, check=False)
    skip_without_index(done)
    assert done.returncode == 0, done.stderr
    return done.stdout


def skip_without_index(done: subprocess.CompletedProcess[str]) -> None:
    if done.returncode and any(word in done.stderr for word in UNREACHABLE):
        pytest.skip("needs a package index: let this machine reach PyPI")


def pins(text: str) -> dict[str, str]:
    """Versions by name."""
    return dict(re.findall(r"^([\w.-]+)==([^\s;]+)", text, re.MULTILINE))


def test_locks_are_those_that_the_project_asks_for(tmp_path: Path) -> None:
    again = tmp_path / "locks"
    shutil.copytree(LOCKS, again)
    environment = os.environ | {"PYTHON": sys.executable}
    command = [ROOT / "images" / "lock", again]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300, check=False)
    skip_without_index(done)
    assert done.returncode == 0, done.stderr
    assert {path.name: path.read_text() for path in again.iterdir()} == {
        path.name: path.read_text() for path in LOCKS.iterdir()
    }, "make locks writes them anew"


@pytest.mark.parametrize("name", NAMES)
def test_every_pin_has_hashes(name: str) -> None:
    text = (LOCKS / f"{name}.txt").read_text()
    entries = re.findall(r"^[\w.-]+==.*\n(?:    --hash=.*\n)+", text, re.MULTILINE)
    assert entries
    assert "".join(entries) == text


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("processor", PROCESSORS)
@pytest.mark.parametrize("name", NAMES)
def test_every_pin_has_a_wheel_for(name: str, processor: str, python: str) -> None:
    lock = LOCKS / f"{name}.txt"
    wheels = ("--only-binary", ":all:", "--python-platform", processor, "--python-version", python)
    resolved = pins(uv(*wheels, "--no-deps", lock))
    assert resolved
    assert resolved.items() <= pins(lock.read_text()).items()
