"""The `wherry` of this environment as a process of its own, the way a person meets it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

WHERRY = Path(sys.executable).with_name("wherry")
PATIENCE = 240
"""Seconds. A first compile on a loaded machine is slow; a test that hangs still ends."""


@dataclass(frozen=True)
class Outcome:
    """How the process ended and what it said."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Shell:
    """A folder to work in, with a cache and a home of its own."""

    folder: Path
    cache: Path

    def environment(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        """Nothing of this process's own settings but PATH."""
        own = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "WHERRY_CACHE": str(self.cache)}
        coverage = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE")}
        return {**own, **coverage, **(extra or {})}

    def wherry(self, *args: str | Path, stdin: str = "", env: Mapping[str, str] | None = None) -> Outcome:
        """Run to the end."""
        result = subprocess.run(
            [WHERRY, *args],
            cwd=self.folder,
            env=self.environment(env),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        return Outcome(result.returncode, result.stdout, result.stderr)

    @contextmanager
    def started(self, *args: str | Path, env: Mapping[str, str] | None = None) -> Iterator[subprocess.Popen[str]]:
        """A process that goes on; killed when the block is left, whatever it was doing."""
        with subprocess.Popen(
            [WHERRY, *args],
            cwd=self.folder,
            env=self.environment(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                yield process
            finally:
                process.kill()
