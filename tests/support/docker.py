"""A Docker engine, for tests of images; nothing is pulled from anywhere."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import Any

import pytest


def docker(*arguments: str) -> str:
    """Its stdout. Raises AssertionError with what it says when it fails."""
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, f"docker {' '.join(arguments)}: {done.stdout}{done.stderr}"
    return done.stdout


def need_engine(base: str) -> None:
    """Skips the test without an engine, or without the image that others are built on."""
    if (
        shutil.which("docker") is None
        or subprocess.run(["docker", "info"], capture_output=True, check=False).returncode
    ):
        pytest.skip("needs a Docker engine: install and start one")
    if subprocess.run(["docker", "image", "inspect", base], capture_output=True, check=False).returncode:
        pytest.skip(f"needs the image {base}: docker pull {base}")


def inspect(image: str) -> dict[str, Any]:
    """What the engine knows of an image."""
    found: dict[str, Any] = json.loads(docker("image", "inspect", image))[0]
    return found
