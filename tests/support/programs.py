"""Programs of the node's tests: where they are, and what helps where they are not: tests/node/programs fetches them."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest

from tests.support import cluster

_NAMED = os.environ.get("WHERRY_TEST_CONTAINERD", "1.7,2.3")
if not re.fullmatch(r"\d+\.\d+(,\d+\.\d+)*", _NAMED):
    raise pytest.UsageError(f"WHERRY_TEST_CONTAINERD: got {_NAMED!r}, expected versions such as 1.6,2.0")
VERSIONS = tuple(_NAMED.split(","))
"""The containerds that are tested: 1.7 is Debian's, 2.3 is built with the cluster's programs."""
CURE = "run tests/node/programs and do what it says"


def fetched() -> Path:
    """The folder of what tests/node/programs fetches."""
    return Path(os.environ.get("WHERRY_TEST_PROGRAMS") or Path.home() / ".cache" / "wherry-test-programs")


def containerd(version: str) -> Path:
    """The folder of containerd, ctr and containerd-shim-runc-v2; skips the test where there is none."""
    folder = cluster.programs() if version == "2.3" else fetched() / f"containerd-{version}"
    return needed(folder / "containerd", f"containerd {version}").parent


def numbers(version: str) -> tuple[int, int]:
    """(2, 3) of 2.3."""
    major, minor = map(int, version.split("."))
    return major, minor


def cni_plugins() -> Path:
    """The folder of CNI plugins; skips the test where there is none."""
    return needed(cluster.programs() / "ptp", "CNI plugins").parent


def tool(name: str) -> Path:
    """crictl or critest; skips the test where there is none."""
    return needed(cluster.programs() / name, name)


def needed(path: Path, what: str) -> Path:
    """The path; skips the test where nothing is there."""
    if not path.exists():
        pytest.skip(f"no {what}: {CURE}")
    return path


def installed(name: str) -> Path:
    """A program of the system; skips the test where there is none."""
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    if found is None:
        pytest.skip(f"no {name}: {CURE}")
    return Path(found)


def root() -> None:
    """Skips the test for another user than root."""
    if os.geteuid() != 0:
        pytest.skip("containerd needs root: run the tests as root")
