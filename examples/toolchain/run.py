"""Run a build program: silent when it works, its output in the error when it does not."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path


class MissingTool(Exception):
    """A program that this machine lacks; the message is the cure."""


class BuildFailed(Exception):
    """A build program that ended with an error; the message holds its output."""


def require(program: str, cure: str) -> str:
    """The path of `program`, or MissingTool with its cure."""
    if found := shutil.which(program):
        return found
    raise MissingTool(f"{program} is not on this machine; {cure}")


def run(argv: Sequence[str | Path], cwd: Path | None = None, env: Mapping[str, str] | None = None) -> str:
    """Run argv at low priority, `env` on top of the environment; returns its stdout, raises BuildFailed."""
    done = subprocess.run(
        ["nice", "-n", "10", *map(str, argv)],
        cwd=cwd,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        command = " ".join(map(str, argv))
        raise BuildFailed(f"{command}\nended with {done.returncode}:\n{done.stdout[-4000:]}{done.stderr[-4000:]}")
    return done.stdout


def tell(text: str) -> None:
    """One line of progress: builds take minutes the first time."""
    print(f"[toolchain] {text}", file=sys.stderr, flush=True)
