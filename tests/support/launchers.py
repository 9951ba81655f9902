"""The launcher as containerd calls it, in each shell that may be a node's /bin/sh, and a zygote without containerd."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import struct
import subprocess
import termios
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.support import programs
from tests.support.containerd_config import Settings
from tests.support.zygote import Zygote
from wherry_shim.launcher import PROGRAM

SHELLS: Mapping[str, Sequence[str]] = {"dash": ("dash",), "bash": ("sh",), "busybox": ("busybox", "sh")}
"""The program, and what it is called: bash called sh is another shell than bash."""
PATIENCE = 60.0


@dataclass(frozen=True)
class Caller:
    """Calls the launcher for containers of one containerd. state: the zygote's folder."""

    shell: str
    state: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    def begin(self, *arguments: str, cwd: Path, stdin: bytes = b"") -> subprocess.Popen[bytes]:
        """It runs; stdin is all that it can read."""
        program = programs.installed(self.shell)
        reader, writer = os.pipe()
        os.write(writer, stdin)
        os.close(writer)
        try:
            return subprocess.Popen(
                [*SHELLS[self.shell], str(PROGRAM), *arguments],
                executable=program,
                cwd=cwd,
                stdin=reader,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={**os.environ, "WHERRY_STATE": str(self.state), "TTRPC_ADDRESS": "/c.ttrpc", **self.environment},
            )
        finally:
            os.close(reader)

    def call(self, *arguments: str, cwd: Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        return ended(self.begin(*arguments, cwd=cwd, stdin=stdin))

    def begin_start(self, bundle: Path, stdin: bytes = b"") -> subprocess.Popen[bytes]:
        """As containerd calls for the container with the bundle's name."""
        return self.begin(*words(bundle), "start", cwd=bundle, stdin=stdin)

    def start(self, bundle: Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        return ended(self.begin_start(bundle, stdin))

    def delete(self, bundle: Path) -> subprocess.CompletedProcess[bytes]:
        return self.call(*words(bundle), "-bundle", str(bundle), "delete", cwd=bundle)


def words(bundle: Path) -> list[str]:
    return ["-namespace", "k8s.io", "-address", "/c.sock", "-publish-binary", "/containerd", "-id", bundle.name]


def ended(process: subprocess.Popen[bytes]) -> subprocess.CompletedProcess[bytes]:
    out, error = process.communicate(timeout=PATIENCE)
    return subprocess.CompletedProcess(process.args, process.returncode, out, error)


def asked(state: Path) -> int:
    """Bytes of requests that the zygote has not read yet."""
    requests = os.open(state / "zygote.requests", os.O_RDWR)
    try:
        return int(struct.unpack("i", fcntl.ioctl(requests, termios.FIONREAD, bytes(4)))[0])
    finally:
        os.close(requests)


def bundle(folder: Path, name: str, pod: str = "") -> Path:
    """A container's; of this pod, or a pod's sandbox."""
    made = folder / name
    made.mkdir(parents=True)
    annotations = {"io.kubernetes.cri.sandbox-id": pod or name}
    (made / "config.json").write_text(json.dumps({"annotations": annotations}))
    return made


@contextmanager
def lone_zygote(folder: Path) -> Iterator[Zygote]:
    """One that is not started yet; in the end it is gone with its hosts."""
    zygote = Zygote(Settings(folder, Path(), "", []), Path("runc"))
    try:
        yield zygote
    finally:
        zygote.end(signal.SIGKILL)
        for pid in hosts(zygote):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def hosts(zygote: Zygote) -> list[int]:
    """Their pids."""
    return [int(each.name.rpartition("-")[2]) for each in (zygote.state / "hosts").glob("*-*")]


def children(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
