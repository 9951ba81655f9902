"""The operator as users run it: a process of its own, with settings in its environment, that may be killed."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.apiserver import until
from tests.support.ports import free_port
from tests.support.registry import Registry

PATIENCE = 60.0


@dataclass
class Operator:
    """environ: what it was started with, so that another one can be. log: where its lines go, over restarts."""

    environ: dict[str, str]
    log: Path
    process: subprocess.Popen[bytes]

    @property
    def port(self) -> int:
        return int(self.environ["WHERRY_PORT"])

    def page(self, path: str) -> str:
        """What its own HTTP server says; "" while it does not answer, or not with 200."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as response:
                return str(response.read().decode())
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return ""

    def metric(self, name: str, **labels: str) -> float:
        """The sum of a metric's values that have these labels."""
        total = 0.0
        for line in self.page("/metrics").splitlines():
            found = re.fullmatch(r"([a-z_]+)(?:\{(.*)\})? (\S+)", line)
            if (
                found
                and found[1] == name
                and all(f'{key}="{each}"' in (found[2] or "") for key, each in labels.items())
            ):
                total += float(found[3])
        return total

    def wait_until_it_leads(self) -> None:
        until(lambda: self.metric("wherry_operator_leader") == 1)

    def kill(self) -> None:
        """As the kernel does when memory is short."""
        self.process.kill()
        self.process.wait(PATIENCE)

    def stop(self) -> int:
        """As the kubelet does; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)

    def restart(self) -> None:
        """After its end."""
        self.process = _started(self.environ, self.log)


@contextmanager
def operator(folder: Path, kubeconfig: Path, namespace: str, **settings: str) -> Iterator[Operator]:
    """namespace: where it runs and, unless settings say more, all that it serves. Killed with the block."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("WHERRY_")}
    chosen = {
        "namespaces": namespace,
        "operator_namespace": namespace,
        "leader_election": "false",
        "port": str(free_port()),
        "log_level": "debug",
        "log_format": "text",
    } | settings
    environ |= {"KUBECONFIG": str(kubeconfig)} | {f"WHERRY_{name.upper()}": value for name, value in chosen.items()}
    log = folder / f"operator-{chosen['port']}.log"
    running = Operator(environ, log, _started(environ, log))
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.kill()


def registries_of(server: Registry, folder: Path) -> Path:
    """A registries file that lets the operator ask a registry on loopback."""
    path = folder / "registries.json"
    path.write_text(json.dumps({server.host: {"plainHTTP": True, "allowPrivate": True}}))
    return path


def _started(environ: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "wherry_operator"],
            env=environ,
            stdout=output,
            stderr=output,
            stdin=subprocess.DEVNULL,
        )
