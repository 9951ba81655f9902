"""A real zygote of a test's own, and the environment in which containerd finds its launcher."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from examples.toolchain.cache import root
from tests.support.pods import until
from wherry_shim import launcher

START = 60.0
"""Seconds for a start on a busy machine."""


class Zygote:
    """state: its folder, as WHERRY_STATE. cache: of modules and code, shared by all tests of a machine."""

    def __init__(self, state: Path, cache: Path) -> None:
        self.state = state
        self.cache = cache
        self._environment: Mapping[str, str] = {}
        self._process: subprocess.Popen[bytes] | None = None

    def environment(self) -> dict[str, str]:
        """What containerd must be started with."""
        return {"WHERRY_STATE": str(self.state), "PATH": f"{launcher.FOLDER}:{os.environ['PATH']}"}

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    def start(self, content: Path, **settings: str) -> None:
        """content: containerd's content store. settings: more of the environment. Returns when it answers."""
        given = {"WHERRY_CONTENT": str(content), "WHERRY_CACHE": str(self.cache), **settings}
        self._environment = {**os.environ, **self.environment(), **given}
        self._run()

    def restart(self, number: signal.Signals = signal.SIGKILL) -> None:
        """End it by a signal and start it again; pods run on."""
        self.end(number)
        self._run()

    def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        if self._process:
            self._process.send_signal(number)
            self._process.wait(START)
            self._process = None

    def log(self) -> str:
        """What it and its hosts have said."""
        return (self.state / "log").read_text(errors="replace")

    def _run(self) -> None:
        with (self.state / "log").open("ab") as log:
            command = [sys.executable, "-m", "wherry_shim.zygote"]
            self._process = subprocess.Popen(command, env=self._environment, stdout=log, stderr=log, cwd="/")
        until(self._is_up, START)

    def _is_up(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            raise RuntimeError(f"the zygote ended: {self.log()}")
        named = self.state / "zygote.pid"
        return named.exists() and named.read_text().strip() == str(self._process.pid)


@contextmanager
def zygote() -> Iterator[Zygote]:
    """One that is not started yet."""
    state = Path(tempfile.mkdtemp(prefix="wherry-", dir="/run"))
    one = Zygote(state, root() / "node")
    try:
        yield one
    finally:
        one.end()
        shutil.rmtree(state)
