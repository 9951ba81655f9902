"""`wherry run` while it serves: started, asked, ended."""

from __future__ import annotations

import re
import signal
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.cli.process import PATIENCE, Shell

SERVING = re.compile(r"serving on (http://\S+)")


@dataclass
class Server:
    """A process that serves at `url`; `said` is what it wrote on stderr so far."""

    process: subprocess.Popen[str]
    url: str = ""
    said: list[str] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def get(self, path: str = "/") -> tuple[int, str]:
        """Status and body."""
        return self.ask(urllib.request.Request(self.url + path))

    def post(self, path: str, body: bytes) -> tuple[int, str]:
        """Status and body."""
        return self.ask(urllib.request.Request(self.url + path, data=body))

    def ask(self, request: urllib.request.Request) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as answer:
            with answer:
                return answer.code, answer.read().decode()

    def says(self, words: str, times: int = 1) -> str:
        """Wait until as many lines hold these words; the last of them."""
        with self.changed:
            heard = self.changed.wait_for(lambda: self.heard(words, times) or self.process.poll() is not None, PATIENCE)
        assert heard, f"still waiting for {words!r}"
        assert self.heard(words, times), self.said
        return next(line for line in reversed(self.said) if words in line)

    def heard(self, words: str, times: int) -> bool:
        return sum(words in line for line in self.said) >= times

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send the signal and wait; the exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)

    def listen(self) -> None:
        """Take down what the process says until it ends."""
        assert self.process.stderr
        for line in self.process.stderr:
            with self.changed:
                self.said.append(line.rstrip("\n"))
                self.changed.notify_all()
        with self.changed:
            self.changed.notify_all()


@contextmanager
def serving(shell: Shell, *args: str | Path, env: Mapping[str, str] | None = None) -> Iterator[Server]:
    """`wherry run` with these arguments, once it serves; ended when the block is left."""
    with shell.started("run", *args, "--workers", "1", env=env) as process, listened(process) as server:
        yield server


@contextmanager
def listened(process: subprocess.Popen[str]) -> Iterator[Server]:
    """A process that serves, once it does; ended when the block is left."""
    server = Server(process)
    ears = threading.Thread(target=server.listen)
    ears.start()
    try:
        found = SERVING.search(server.says("serving on"))
        assert found
        server.url = found[1]
        yield server
    finally:
        process.kill()
        ears.join()
