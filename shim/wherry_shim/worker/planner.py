"""In a child of the nursery, for one container after another: what runs, found out and compiled, and what it will see.

It reads what others wrote (config.json, manifests, modules) and makes the root that the worker enters: work that takes
memory which the worker is better without. After a fault it ends: nobody knows in which namespaces it is.
"""

from __future__ import annotations

import json
import math
import os
import signal
import socket
import ssl
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import certifi

from wherry.engine.host import Host
from wherry.engine.prepare import prepare
from wherry.errors import StartError, WherryError
from wherry.plan.bundle import Bundle, read, termination_log
from wherry_shim.artifact.chain import Task, planned
from wherry_shim.artifact.node import Node
from wherry_shim.linux.calls import call
from wherry_shim.linux.namespaces import CLONE_NEWIPC, CLONE_NEWNET, CLONE_NEWNS, CLONE_NEWUTS, setns
from wherry_shim.linux.process import PR_SET_NAME, die_with_parent, set_name
from wherry_shim.order import LEAVE, WorkerOrder, report_fault, report_ready, worker_order
from wherry_shim.worker import rights, root, start

_ENTERED = CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS
_PACKET = 1 << 16
_RESOLVER = ("/etc/hosts", "/etc/resolv.conf")
_OF_ITS_OWN = (call("setsid"), call("prctl", PR_SET_NAME, b"wherry-worker", 0, 0, 0))


def main(_words: bytes, files: list[int]) -> NoReturn:
    """files: a socket by which it is given orders, each with an empty memfd for a worker's start. Never returns."""
    (end,) = files
    try:
        set_name("wherry-planner")
        parent = os.getppid()
        home = os.pidfd_open(parent)
        die_with_parent(parent, signal.SIGKILL)
        orders = socket.socket(fileno=end)  # open to the last, for a fault
        _serve(orders, home)
    except StartError as error:
        report_fault(end, error)
    except (WherryError, OSError) as error:
        report_fault(end, StartError("instantiate", str(error)))
    except BaseException:  # the edge of a process
        report_fault(end, StartError("instantiate", traceback.format_exc(limit=-4)))
    finally:
        os._exit(0)


def _serve(orders: socket.socket, home: int) -> None:
    """home: a pidfd of the host, whose namespaces are the node's. Raises what planning raises."""
    while True:
        packet, files, _, _ = socket.recv_fds(orders, _PACKET, 1)
        if not packet:
            return
        if packet == LEAVE:
            setns(home, _ENTERED)
            continue
        (memory,) = files
        start.write(_start(worker_order(packet)), memory)
        os.close(memory)
        report_ready(orders.fileno())


def _start(order: WorkerOrder) -> start.Start:
    spec: Mapping[str, Any] = json.loads(Path(order.bundle, "config.json").read_bytes())
    bundle = read(spec)
    node = Node(order.containerd, order.namespace, Path(order.content), Path(order.cache))
    root.own_mounts()
    task = Task(order.container, bundle, _image(order))
    prepared = prepare(planned(task, node, node.records()), Host(cache=node.cache, quota=node.quota))
    calls = (*_OF_ITS_OWN, root.own_proc(), *rights.give_up(rights.user_of(spec.get("process") or {})))
    for path in order.joined:
        _enter(path)
    plan = root.change_root(prepared.plan, _ways_out(bundle, prepared.plan.outbound), order.root)
    return start.Start(
        prepared=replace(prepared, plan=plan),
        workers=_workers(spec),
        calls=calls,
        log=termination_log(bundle),
    )


def _enter(path: str) -> None:
    namespace = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        setns(namespace)
    finally:
        os.close(namespace)


def _image(order: WorkerOrder) -> Callable[[], Path]:
    """Mounts the container's image where this process alone sees it."""

    def mounted() -> Path:
        target = Path(order.bundle, "rootfs")
        root.mount_image(order.rootfs, target)
        return target

    return mounted


def _workers(spec: Mapping[str, Any]) -> int:
    """One for each CPU of the container's limit, begun ones too; one without a limit."""
    cpu = ((spec.get("linux") or {}).get("resources") or {}).get("cpu") or {}
    quota, period = cpu.get("quota") or 0, cpu.get("period") or 100_000
    return max(1, math.ceil(quota / period))


def _ways_out(bundle: Bundle, outbound: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Files of the node by which hosts are found, and trusted, and where the worker looks for them."""
    if outbound:
        yield from ((mount.host, path) for path in _RESOLVER if (mount := bundle.mount(path)))
    if any(origin.startswith("https:") for origin in outbound):
        paths = ssl.get_default_verify_paths()
        place = os.environ.get(paths.openssl_cafile_env) or paths.openssl_cafile
        yield paths.cafile or certifi.where(), place
