"""A program on a node's own network that asks until it is answered with 200, and says when that was.

It reaches Services through the node's kube-proxy, and the node's Pods before the API server knows their addresses.
Nodes of kind and this machine have one clock.
"""

from __future__ import annotations

import json
import subprocess
import threading
from pathlib import Path

from bench.cluster.asking import PATIENCE
from tests.e2e.client import phase, pod
from tests.e2e.cluster import environment
from tests.e2e.namespace import Namespace

PROGRAM = Path(__file__).with_name("asking.py").read_text()
WAIT = "import signal; signal.sigwait([signal.SIGTERM])"


class Probe:
    """Runs from its making to `close`; answers are kept by address and port."""

    def __init__(self, namespace: Namespace, node: str) -> None:
        self.node = node
        self._process = _started(namespace, node)
        self._answers: dict[tuple[str, int], float] = {}
        self._news = threading.Condition()
        self._said()
        threading.Thread(target=self._listen, daemon=True).start()

    def ask(self, address: str, port: int, every: float) -> None:
        """Ask from now on, each so many seconds, until there is a 200."""
        with self._news:
            self._answers.pop((address, port), None)
        self._order("ask", address, port, every)

    def arm(self, port: int) -> None:
        """Ask each Pod that comes to this node, from the moment at which it has an address."""
        with self._news:
            self._answers.clear()
        self._order("arm", port)

    def disarm(self) -> None:
        self._order("disarm")

    def answered(self, address: str, port: int) -> float:
        """When the first 200 came, in seconds since 1970. Raises TimeoutError."""
        with self._news:
            if self._news.wait_for(lambda: (address, port) in self._answers, PATIENCE):
                return self._answers[address, port]
        raise TimeoutError(f"{address}:{port} did not answer within {PATIENCE:.0f} s")

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()

    def _order(self, *order: object) -> None:
        assert self._process.stdin
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()

    def _said(self) -> str:
        """A line; "" when it has ended."""
        assert self._process.stdout
        return self._process.stdout.readline()

    def _listen(self) -> None:
        while line := self._said():
            address, port, at = json.loads(line)
            with self._news:
                self._answers[address, port] = at
                self._news.notify_all()


def _started(namespace: Namespace, node: str) -> subprocess.Popen[str]:
    """The program in a Pod of its own on the node."""
    name, context = f"probe-{node}", namespace.cluster.context
    manifest = pod(namespace, name, WAIT)
    manifest["spec"] |= {"hostNetwork": True, "nodeName": node}
    namespace.apply(manifest)
    namespace.eventually(f"{name} runs", lambda: phase(namespace, name) == "Running")
    where = ("--context", context, "exec", "-i", "--namespace", namespace.name, name, "--")
    command = ("kubectl", *where, "python", "-u", "-c", PROGRAM)
    return subprocess.Popen(command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment())
