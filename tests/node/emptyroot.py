"""A file system with nothing in it but a static /bin/sh, /proc, /dev and what a test puts there."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

STATIC_SHELL = Path("/bin/busybox")
_ENTER = 'mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" && exec chroot "$0" "$@"'


@dataclass(frozen=True)
class EmptyRoot:
    path: Path

    def run(self, *command: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run a program of this file system; its mounts end with it."""
        enter = ["unshare", "--mount", "sh", "-c", _ENTER, str(self.path), *command]
        own = {"PATH": os.environ["PATH"], **(env or {})}
        return subprocess.run(enter, env=own, capture_output=True, text=True, timeout=240, check=False)


def empty_root(path: Path) -> EmptyRoot:
    """Skips where this machine cannot give one."""
    if os.geteuid():
        pytest.skip("only root may change its root: run the tests as root")
    if not STATIC_SHELL.exists() or b"/ld-" in STATIC_SHELL.read_bytes()[:4096]:
        pytest.skip("needs a static shell: apt-get install busybox-static")
    for folder in ("bin", "proc", "dev", "tmp"):
        (path / folder).mkdir(parents=True)
    shutil.copy(STATIC_SHELL, path / "bin" / "sh")
    return EmptyRoot(path)
