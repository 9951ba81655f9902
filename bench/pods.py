"""Pods of one handler on a real containerd, timed as the kubelet would see them: by CRI, one call after the other."""

from __future__ import annotations

import hashlib
import json
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.support import images
from tests.support.containerd import Containerd, containerd
from tests.support.cri_configs import ContainerSpec, PodSpec
from tests.support.node_leftovers import CGROUPS
from tests.support.pods import Container, Pod
from tests.support.registry import registry

PATIENCE = 60.0
ASK = b"GET / HTTP/1.1\r\nHost: pod\r\nConnection: close\r\n\r\n"
PORT = 8080


@dataclass(frozen=True)
class Workload:
    """image: a repository of tests/support/images.py. line: what it says when it runs."""

    image: str
    line: str
    command: tuple[str, ...] = ()
    annotations: Mapping[str, str] = field(default_factory=dict)

    def spec(self) -> ContainerSpec:
        return ContainerSpec(images.reference(self.image), self.command)


@dataclass(frozen=True)
class Side:
    """A runtime handler with what it runs: hold says a line and waits, http answers on PORT."""

    name: str
    handler: str
    hold: Workload
    http: Workload


def wasm(name: str, line: str, run: str) -> Workload:
    """As the operator renders it: the artifact by digest, checked by the node."""
    digest = f"sha256:{hashlib.sha256(images.WASM[name]().read_bytes()).hexdigest()}"
    plan: dict[str, object] = {"v": 1, "run": run, "wasm": digest}
    if run == "http":
        plan["http"] = {"port": PORT, "drain": 1}
    return Workload(name, line, ("/app.wasm",), {"plan.wherry.dev/app": json.dumps(plan)})


def side(name: str) -> Side:
    """`wherry`, or a native one: `runc`, and `runc-again`, which is the same and shows what the method is worth."""
    if name.startswith("wherry"):
        return Side(name, name, wasm("wasm-hold", "holding", "command"), wasm("wasm-http", "", "http"))
    return Side(name, name.removesuffix("-again"), Workload("hold", "holding"), Workload("httpd", "listening"))


@contextmanager
def bench_node(version: str, sides: list[Side]) -> Iterator[Containerd]:
    """A containerd with the sides' images and, where one needs it, a zygote."""
    with TemporaryDirectory() as folder, registry(Path(folder)) as server:
        images.fill(server.host, Path(folder) / "cache")
        with containerd(version, {images.HOST: server.host}, images.PAUSE) as node:
            for name in {"pause", *(load.image for each in sides for load in (each.hold, each.http))}:
                node.cri.pull(images.reference(name))
            if any(each.handler.startswith("wherry") for each in sides):
                node.start_zygote()
            yield node


def started(node: Containerd, side: Side, load: Workload) -> tuple[Pod, Container]:
    """RunPodSandbox, CreateContainer, StartContainer."""
    pod = node.run(PodSpec("bench", annotations=load.annotations), side.handler)
    return pod, pod.start(load.spec())


def line_seen(container: Container, text: str) -> None:
    """Returns when the log has the line. Asked more often than tests do: what is measured is a few milliseconds."""
    wanted = text.encode()
    _soon(lambda: container.log.exists() and wanted in container.log.read_bytes())


def http_seen(address: str) -> None:
    """Returns when the pod has answered with 200."""
    _soon(lambda: b" 200 " in asked(address))


def asked(address: str) -> bytes:
    """The answer's first bytes; none while nobody listens."""
    with suppress(OSError), socket.create_connection((address, PORT), timeout=PATIENCE) as connection:
        connection.sendall(ASK)
        return connection.recv(4096)
    return b""


def _soon(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError(f"not within {PATIENCE:.0f} s")
        time.sleep(0.0003)


def cpu_seconds(node: Containerd) -> float:
    """What the daemon, its shims, CNI plugins, the zygote and every container have computed so far, also those that
    ended: the kernel adds it up for the cgroup that they all lie below. Kernel threads are not in it.
    """
    v1 = CGROUPS / "cpuacct" / node.traces.cgroup / "cpuacct.usage"
    if v1.exists():
        return int(v1.read_text()) / 1e9
    lines = (CGROUPS / node.traces.cgroup / "cpu.stat").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("usage_usec")) / 1e6
