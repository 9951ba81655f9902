"""The zygote of a test's node, with a state and a cache of its own, so that several nodes are on one machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.support.containerd_config import Settings
from tests.support.pods import until

START = 60.0


class Zygote:
    """At most one process at a time. environment: settings on top of the node's own, such as WHERRY_PODS_PER_HOST."""

    def __init__(self, node: Settings, runc: Path) -> None:
        self._folder = node.folder
        self._process: subprocess.Popen[bytes] | None = None
        self.given: Mapping[str, str] = {}
        content = node.root / "io.containerd.content.v1.content"
        self.environment = {
            "WHERRY_STATE": str(self.state),
            "WHERRY_CACHE": str(node.folder / "wherry-cache"),
            "WHERRY_CONTENT": str(content),
            "WHERRY_RUNC": str(runc),
        }

    @property
    def state(self) -> Path:
        return self._folder / "wherry"

    @property
    def pid(self) -> int:
        """Of the one that runs."""
        assert self._process
        return self._process.pid

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def log(self) -> str:
        return (self._folder / "zygote.log").read_text(errors="replace")

    def start(self, **environment: str) -> None:
        """Returns when it answers; one that runs with the same settings is left alone.

        Its hosts wait for the next pod five seconds, unless told otherwise: tests look for what is left.
        """
        if self.runs and self.given == environment:
            return
        self.end()
        self.given = environment
        with (self._folder / "zygote.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "wherry_shim.zygote"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **self.environment, "WHERRY_LINGER": "5", **environment},
                cwd=self._folder,
            )
        until(self._answers, START)

    def _answers(self) -> bool:
        if not self.runs:
            raise RuntimeError(f"the zygote ended: {self.log()[-3000:]}")
        written = self.state / "zygote.pid"
        return written.exists() and written.read_text().strip() == str(self.pid)

    def restart(self, number: signal.Signals = signal.SIGKILL, **environment: str) -> None:
        """End it by a signal and start it again; pods run on."""
        self.end(number)
        self.start(**environment)

    def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Pods run on; nothing happens when none runs."""
        if self._process:
            self._process.send_signal(number)
            self._process.wait(START)
            self._process = None
