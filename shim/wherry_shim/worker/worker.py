"""From an order to a guest's end, in one process: what the node has is looked up first, then its view is given up."""

from __future__ import annotations

import json
import math
import os
import signal
import traceback
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

from wherry.engine import command, egress  # noqa: F401 - nothing can be imported once the root is another
from wherry.engine.host import Host
from wherry.engine.http import supervisor  # noqa: F401
from wherry.engine.prepare import Prepared, prepare
from wherry.engine.run import Loaded, load
from wherry.errors import StartError, WherryError
from wherry.plan.bundle import Bundle, read, termination_log
from wherry.plan.ending import EXIT_KILLED, EXIT_START, Ending
from wherry_shim.artifact.chain import Task, planned
from wherry_shim.artifact.containerd import Containerd
from wherry_shim.artifact.node import Node
from wherry_shim.linux.namespaces import setns
from wherry_shim.linux.process import set_name
from wherry_shim.order import WorkerOrder, report_fault, report_ready, worker_order
from wherry_shim.worker import rights, root

_GO = b"g"


def main(words: bytes, files: list[int]) -> NoReturn:
    """files: where to report, where to wait, stdin, stdout and stderr, and for a pod its metrics and traps.

    Never returns: the process ends as the guest did.
    """
    report, waits, *rest = files
    code = EXIT_START
    try:
        guest, log = _ready(worker_order(words), rest)
        report_ready(report)
        os.close(report)
        if os.read(waits, 1) != _GO:
            os._exit(EXIT_KILLED)  # nobody starts it any more
        os.close(waits)
        code = _told(guest, log)
    except StartError as error:
        report_fault(report, error)
    except (WherryError, OSError) as error:
        report_fault(report, StartError("instantiate", str(error)))
    except BaseException:  # the edge of a process
        report_fault(report, StartError("instantiate", traceback.format_exc(limit=-4)))
    finally:
        os._exit(code)


def _told(guest: Loaded, log: int) -> int:
    """Run it; the exit code. What is to be said of the end is said on stderr and in the termination log."""
    try:
        ending = guest.run()
    except StartError as error:
        ending = Ending(EXIT_START, "start", error.reason, str(error))
    if ending.message and ending.category != "signal":
        with suppress(OSError):
            os.write(2, f"{ending.message}\n".encode())
        if log >= 0:
            with suppress(OSError):
                os.write(log, ending.message.encode())
    return ending.code


def _ready(order: WorkerOrder, files: list[int]) -> tuple[Loaded, int]:
    """The guest, loaded, with nothing of the node in view, and the termination log."""
    parent = os.getppid()
    os.setsid()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    set_name("wherry-worker")
    stdio, kept = files[:3], files[3:]
    for number, descriptor in enumerate(stdio):
        os.dup2(descriptor, number)
        os.close(descriptor)
    spec = json.loads(Path(order.bundle, "config.json").read_bytes())
    bundle = read(spec)
    process: Mapping[str, Any] = spec.get("process") or {}
    host = _host(spec, order, kept)
    root.own_mounts()
    prepared = _prepared(order, bundle, host)
    log = _termination_log(bundle)
    for path in order.joined:
        _enter(path)
    rights.limit(process)
    plan = root.change_root(prepared.plan, bundle, order.root)
    rights.give_up(process.get("user") or {}, parent)
    return load(replace(prepared, plan=plan), host), log


def _prepared(order: WorkerOrder, bundle: Bundle, host: Host) -> Prepared:
    """Checked and compiled, and the code open: its path is of no use any more when the root is another."""
    node = Node(order.containerd, order.namespace, Path(order.content), Path(order.cache))
    mounted = root.image_mounter(order.rootfs, Path(order.bundle, "rootfs"))
    records = Containerd(order.containerd, order.namespace)
    prepared = prepare(planned(Task(order.container, bundle, mounted), node, records), host)
    code = os.open(prepared.code, os.O_RDONLY | os.O_CLOEXEC)
    return replace(prepared, code=Path(f"/proc/self/fd/{code}"))


def _host(spec: Mapping[str, Any], order: WorkerOrder, kept: list[int]) -> Host:
    metrics, traps = kept or (None, None)
    return Host(
        address="::", workers=_workers(spec), stdio=(0, 1, 2), cache=Path(order.cache), metrics=metrics, traps=traps
    )


def _workers(spec: Mapping[str, Any]) -> int:
    """One for each CPU of the container's limit, begun ones too; one without a limit."""
    cpu = ((spec.get("linux") or {}).get("resources") or {}).get("cpu") or {}
    quota, period = cpu.get("quota") or 0, cpu.get("period") or 100_000
    return max(1, math.ceil(quota / period))


def _termination_log(bundle: Bundle) -> int:
    """-1 where there is none."""
    path = termination_log(bundle)
    with suppress(OSError):
        return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC) if path else -1
    return -1


def _enter(path: str) -> None:
    namespace = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        setns(namespace)
    finally:
        os.close(namespace)
