"""Pods of one handler on a real containerd, timed as the kubelet would see them: by CRI, one call after the other.

WHERRY_BENCH_SIDES names both sides, ours first: `wherry,runc` unless told otherwise; `runc,runc-again` compares runc
with itself, which shows what the method is worth. WHERRY_BENCH_CONTAINERD: versions, else `1.7,2.3`; the quick
form takes 2.3 alone.
Root and state of containerd lie in memory, so that no disk is measured.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.support import images
from tests.support.containerd import Containerd, containerd
from tests.support.cri_configs import ContainerSpec
from tests.support.node_leftovers import CGROUPS
from tests.support.pods import Container, Pod
from tests.support.registry import registry
from tests.support.workloads import Side, Workload, side
from wherry_shim.settings import Settings

PATIENCE = 60.0
PORT = 8080
ASK = b"GET / HTTP/1.1\r\nHost: pod\r\nConnection: close\r\n\r\n"


def nodes(quick: bool) -> Iterator[tuple[Containerd, tuple[Side, Side]]]:
    """One node after the other, with what is compared on it."""
    ours, theirs = map(side, os.environ.get("WHERRY_BENCH_SIDES", "wherry,runc").split(","))
    for version in os.environ.get("WHERRY_BENCH_CONTAINERD", "2.3" if quick else "1.7,2.3").split(","):
        with bench_node(version, (ours, theirs)) as node:
            yield node, (ours, theirs)


@contextmanager
def bench_node(version: str, sides: tuple[Side, Side]) -> Iterator[Containerd]:
    """A containerd with the sides' images and, where one needs it, a zygote."""
    with TemporaryDirectory() as folder, registry(Path(folder)) as server:
        images.fill(server.host, Path(folder) / "cache")
        with containerd(version, {images.HOST: server.host}, images.PAUSE) as node:
            for name in {"pause", *(load.image for each in sides for load in (each.hold, each.http))}:
                node.cri.pull(images.reference(name))
            if any(each.handler.startswith("wherry") for each in sides):
                node.start_zygote(WHERRY_LINGER=str(Settings().linger))
            yield node


def started(node: Containerd, side: Side, load: Workload) -> tuple[Pod, Container]:
    """RunPodSandbox, CreateContainer, StartContainer."""
    pod = node.run(load.pod("bench"), side.handler)
    return pod, pod.start(container(node, load))


def container(node: Containerd, load: Workload) -> ContainerSpec:
    """With its image by digest, as the operator renders it."""
    return replace(load.container(), image=_pinned(node, load.image))


@cache
def _pinned(node: Containerd, name: str) -> str:
    found = node.cri.image(images.reference(name))
    assert found is not None, name
    return str(found.repo_digests[0])


def line_seen(container: Container, text: str) -> None:
    """Returns when the log has the line. Asked more often than tests do: what is measured is a few milliseconds."""
    wanted = text.encode()
    _soon(lambda: container.log.exists() and wanted in container.log.read_bytes())


def http_seen(address: str, port: int = PORT) -> None:
    """Returns when the pod has answered with 200."""
    _soon(lambda: b" 200 " in asked(address, port))


def asked(address: str, port: int) -> bytes:
    """The answer's first bytes; none while nobody listens."""
    with suppress(OSError), socket.create_connection((address, port), timeout=PATIENCE) as connection:
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
