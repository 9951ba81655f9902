"""The compiler process, seen from its parent: started, watched, and its end told apart."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from wherry.engine.compile import REFUSED
from wherry.engine.config import Build
from wherry.errors import StartError
from wherry.plan.model import WasmFile

Report = Callable[[str], None]
"""Told one line for a person when something takes long."""

_INHERITED = ("PATH", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "LANG")
"""What the compiler needs to find its own modules; it sees nothing else of our environment."""


@dataclass(frozen=True, slots=True)
class Compiler:
    """Limits of the compiler process. memory: bytes of address space. seconds: of CPU, and of waiting for it.

    patience: seconds until a long compile is reported.
    """

    memory: int = 6 << 30
    seconds: int = 600
    patience: float = 1.0

    def compile(self, wasm: WasmFile, build: Build, code: Path, report: Report) -> None:
        """Write machine code for these bytes to `code`, whole or not at all. Raises StartError."""
        descriptor, name = tempfile.mkstemp(dir=code.parent, prefix=f".{code.name}.")
        try:
            with os.fdopen(descriptor, "wb") as output, _opened(wasm) as guest:
                self._run(wasm, self.command(wasm, build), guest, output, report)
                # Its folders are private. A process that has given up its rights opens it again, by a descriptor.
                os.fchmod(descriptor, 0o444)
            Path(name).replace(code)
        finally:
            Path(name).unlink(missing_ok=True)

    def _run(self, wasm: WasmFile, command: list[str], guest: IO[bytes], output: IO[bytes], report: Report) -> None:
        environment = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        # In memory: there may be no room on the disk for why there is none, and no folder but the code's own.
        with os.fdopen(os.memfd_create("reasons"), "w+b") as reasons:
            process = subprocess.Popen(
                command, stdin=guest, stdout=output, stderr=reasons, env=environment, start_new_session=True
            )
            try:
                status = self._wait(process, wasm, report)
            finally:
                process.kill()
                process.wait()
            if status:
                raise self._failure(wasm, status, _tail(reasons))

    def command(self, wasm: WasmFile, build: Build) -> list[str]:
        """The compiler process: it reads the guest from stdin and writes code to stdout."""
        module = [sys.executable, "-P", "-m", "wherry.engine.compile"]
        return [*module, json.dumps(asdict(build)), wasm.digest, str(self.memory), str(self.seconds)]

    def _wait(self, process: subprocess.Popen[bytes], wasm: WasmFile, report: Report) -> int:
        try:
            return process.wait(self.patience)
        except subprocess.TimeoutExpired:
            size = Path(wasm.path).stat().st_size / 1e6
            report(f"compiling {wasm.path} ({size:.1f} MB) for this machine; the result is kept")
        try:
            return process.wait(self.seconds)
        except subprocess.TimeoutExpired:
            return -signal.SIGKILL

    def _failure(self, wasm: WasmFile, status: int, said: str) -> StartError:
        if status == REFUSED:
            told = json.loads(said.splitlines()[-1])
            return StartError(told["reason"], f"{wasm.path}: {told['message']}", cure=told["cure"])
        how = f"was ended by signal {-status}" if status < 0 else f"failed with status {status}"
        limits = f"its limits are {self.memory >> 20} MiB of memory and {self.seconds} s"
        return StartError("compile", f"{wasm.path}: the compiler {how}, {limits}" + (f": {said}" if said else ""))


STANDARD = Compiler()


def _opened(wasm: WasmFile) -> IO[bytes]:
    try:
        return Path(wasm.path).open("rb")
    except OSError as error:
        raise StartError("artifact", f"{wasm.path}: {error.strerror}, expected a Wasm file") from error


def _tail(reasons: IO[bytes]) -> str:
    reasons.seek(max(0, reasons.seek(0, os.SEEK_END) - 2048))
    return reasons.read().decode(errors="replace").strip()
