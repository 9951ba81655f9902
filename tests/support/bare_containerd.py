"""A real containerd with its stores alone: images and containers can be asked for, nothing runs."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support import programs
from tests.support.artifacts import Built
from wherry.oci.folder import FolderRepository
from wherry_shim.artifact.containerd import Containerd
from wherry_shim.artifact.node import Node

NAMESPACE = "k8s.io"
_CONFIG = """
version = 2
root = "{folder}/root"
state = "{folder}/state"
disabled_plugins = [
    "io.containerd.grpc.v1.cri", "io.containerd.cri.v1.images", "io.containerd.cri.v1.runtime",
    "io.containerd.internal.v1.opt", "io.containerd.nri.v1.nri",
]
[grpc]
address = "{folder}/s"
[ttrpc]
address = "{folder}/t"
"""


@dataclass
class BareContainerd:
    """One daemon. folder: all of it."""

    folder: Path
    binaries: Path
    daemon: subprocess.Popen[bytes]

    @property
    def node(self) -> Node:
        content = self.folder / "root" / "io.containerd.content.v1.content"
        return Node(f"{self.folder}/s", NAMESPACE, content, self.folder / "cache")

    @property
    def records(self) -> Containerd:
        return self.node.records()

    def ctr(self, *arguments: str) -> str:
        """What the program says."""
        command = [str(self.binaries / "ctr"), f"--address={self.folder}/s", f"--namespace={NAMESPACE}", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def load(self, artifact: Built, name: str, *options: str) -> None:
        """Import an artifact under `name:v1`."""
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            layout = Path(folder) / "layout"
            artifact.put(FolderRepository(layout, create=True))
            with tarfile.open(Path(folder) / "layout.tar", "w") as archive:
                archive.add(layout, ".")
            self.ctr("images", "import", "--local", "--base-name", name, *options, f"{folder}/layout.tar")

    def stop(self) -> None:
        self.daemon.terminate()
        self.daemon.wait(60)


@contextmanager
def bare_containerd(version: str) -> Iterator[BareContainerd]:
    """A daemon that answers. Skips the test where the program is missing, or for another user than root."""
    found = programs.containerd(version)
    programs.root()
    folder = Path(tempfile.mkdtemp(prefix="wherry-bare-"))  # a socket's path must be short
    (folder / "config.toml").write_text(_CONFIG.format(folder=folder))
    with (folder / "log").open("wb") as log:
        daemon = subprocess.Popen([found / "containerd", "--config", folder / "config.toml"], stdout=log, stderr=log)
    running = BareContainerd(folder, found, daemon)
    try:
        _wait(running)
        yield running
    finally:
        running.stop()
        shutil.rmtree(folder)


def _wait(running: BareContainerd) -> None:
    limit = time.monotonic() + 60
    command = [str(running.binaries / "ctr"), f"--address={running.folder}/s", "version"]
    while subprocess.run(command, capture_output=True, check=False).returncode:
        is_starting = running.daemon.poll() is None and time.monotonic() < limit
        assert is_starting, (running.folder / "log").read_text()
