"""A real containerd with nothing but what takes events and starts tasks: no CRI, its folders and sockets its own."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support import cluster

PATIENCE = 60.0
ENABLE = "run `cluster/binaries` or set WHERRY_CLUSTER_CACHE to a folder with bin/containerd and bin/ctr"
CONFIG = """
version = 3
root = "{folder}/root"
state = "{folder}/state"
imports = []
disabled_plugins = [
    "io.containerd.grpc.v1.cri", "io.containerd.cri.v1.images", "io.containerd.cri.v1.runtime",
    "io.containerd.podsandbox.controller.v1.podsandbox", "io.containerd.nri.v1.nri",
]

[debug]
level = "trace"

[grpc]
address = "{folder}/grpc.sock"

[ttrpc]
address = "{folder}/ttrpc.sock"
"""


@dataclass
class Containerd:
    """folder: short, because a socket's path is."""

    folder: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def ttrpc(self) -> Path:
        return self.folder / "ttrpc.sock"

    def start(self) -> None:
        command = [str(program("containerd")), "--config", str(self.folder / "config.toml")]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        end = time.monotonic() + PATIENCE
        while self.ctr("version").returncode:
            assert self.process.poll() is None, self.log()
            assert time.monotonic() < end, "containerd does not answer"

    def run(self, program: Path, name: str) -> subprocess.CompletedProcess[str]:
        """`ctr run` with a shim of ours, until the task has ended."""
        rootfs = self.folder / "rootfs"
        rootfs.mkdir(exist_ok=True)
        return self.ctr(
            "run", "--rm", "--null-io", "--runtime", str(program), "--rootfs", str(rootfs), name, "/app.wasm"
        )

    def kill(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait(PATIENCE)
        self.process = None

    def log(self) -> str:
        return (self.folder / "log").read_text()

    def command(self, *args: str) -> list[str]:
        return [str(program("ctr")), "--address", str(self.folder / "grpc.sock"), *args]

    def ctr(self, *args: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(self.command(*args), capture_output=True, text=True, timeout=PATIENCE, check=False)


def program(name: str) -> Path:
    return cluster.programs() / name


@contextmanager
def containerd() -> Iterator[Containerd]:
    """One that runs, until the block ends."""
    if not all(program(name).exists() for name in ("containerd", "ctr")):
        pytest.skip(ENABLE)
    with tempfile.TemporaryDirectory(prefix="wherry-ttrpc-", ignore_cleanup_errors=True) as name:
        (Path(name) / "config.toml").write_text(CONFIG.format(folder=name))
        daemon = Containerd(Path(name))
        try:
            daemon.start()
            yield daemon
        finally:
            daemon.kill()
