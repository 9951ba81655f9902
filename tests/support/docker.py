"""A Docker engine, for tests of images; nothing is pulled from anywhere."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from typing import Any

import pytest

from tests.architecture.tree import ROOT


def docker(*arguments: str) -> str:
    """Its stdout. Raises AssertionError with what it says when it fails."""
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, f"docker {' '.join(arguments)}: {done.stdout}{done.stderr}"
    return done.stdout


def base(name: str) -> str:
    """The image that ours of this name is built on."""
    found = re.search(r"^ARG PYTHON=(\S+)$", (ROOT / "images" / name / "Dockerfile").read_text(), re.MULTILINE)
    assert found
    return os.environ.get("PYTHON_IMAGE") or found[1]


def need_engine(*bases: str) -> None:
    """Skips the test without an engine, or without an image that others are built on."""
    if (
        shutil.which("docker") is None
        or subprocess.run(["docker", "info"], capture_output=True, check=False).returncode
    ):
        pytest.skip("needs a Docker engine: install and start one")
    for each in bases:
        if subprocess.run(["docker", "image", "inspect", each], capture_output=True, check=False).returncode:
            pytest.skip(f"needs the image {each}: docker pull {each}")


def inspect(image: str) -> dict[str, Any]:
    """What the engine knows of an image."""
    found: dict[str, Any] = json.loads(docker("image", "inspect", image))[0]
    return found
