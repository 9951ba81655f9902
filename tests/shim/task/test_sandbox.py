"""A pod's sandbox whose cgroup systemd is to make, where it has died."""

from __future__ import annotations

import asyncio
import os
import platform
import signal
import socket
from pathlib import Path

import pytest

from wherry_shim.holder import Holders
from wherry_shim.linux.cgroup import dbus
from wherry_shim.linux.holder import image
from wherry_shim.linux.process import become_subreaper
from wherry_shim.reaper import Reaper
from wherry_shim.task.sandbox import Sandbox

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="makes namespaces: run as root")


@pytest.fixture
def dead_systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its socket is there, and nobody listens."""
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / "private"))
    for name in ("PRIVATE", "SYSTEM_BUS"):
        monkeypatch.setattr(dbus, name, str(tmp_path / "private"))


@pytest.mark.usefixtures("dead_systemd")
def test_a_sandbox_without_its_cgroup_ends_and_says_why(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert asyncio.run(_ended(tmp_path)) == 128 + signal.SIGKILL

    assert f"wherry: the sandbox {tmp_path.name} ends: " in capfd.readouterr().err


async def _ended(bundle: Path) -> int:
    become_subreaper()
    program = bundle / "holder"
    (bundle / "config.json").write_text("{}")
    program.write_bytes(image(platform.machine(), bound=True))
    program.chmod(0o755)
    spec = {"linux": {"cgroupsPath": "wherry-test.slice:wherry:none", "namespaces": [{"type": "ipc"}]}}
    sandbox = Sandbox(spec, bundle, Holders(program), Reaper(asyncio.get_running_loop()))
    born = await sandbox.create()
    return await asyncio.wait_for(born.ended, 10)
