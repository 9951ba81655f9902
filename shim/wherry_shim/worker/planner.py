"""In a child of the nursery that ends before the worker begins: what runs, found out and compiled.

It reads what others wrote (config.json, manifests, modules), which takes memory that the worker is better without.
"""

from __future__ import annotations

import json
import math
import os
import resource
import signal
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn

from wherry.engine.host import Host
from wherry.engine.prepare import prepare
from wherry.errors import StartError, WherryError
from wherry.plan.bundle import Bundle, read, termination_log
from wherry_shim.artifact.chain import Task, planned
from wherry_shim.artifact.node import Node
from wherry_shim.linux.process import die_with_parent, set_name
from wherry_shim.order import WorkerOrder, report_fault, report_ready, worker_order
from wherry_shim.worker import root, start

_RESOLVER = ("/etc/hosts", "/etc/resolv.conf")


def main(words: bytes, files: list[int]) -> NoReturn:
    """files: where to report, an empty memfd for the worker's start. Never returns."""
    report, memory = files
    try:
        set_name("wherry-planner")
        die_with_parent(os.getppid(), signal.SIGKILL)
        start.write(_start(worker_order(words)), memory)
        report_ready(report)
    except StartError as error:
        report_fault(report, error)
    except (WherryError, OSError) as error:
        report_fault(report, StartError("instantiate", str(error)))
    except BaseException:  # the edge of a process
        report_fault(report, StartError("instantiate", traceback.format_exc(limit=-4)))
    finally:
        os._exit(0)


def _start(order: WorkerOrder) -> start.Start:
    spec: Mapping[str, Any] = json.loads(Path(order.bundle, "config.json").read_bytes())
    bundle = read(spec)
    node = Node(order.containerd, order.namespace, Path(order.content), Path(order.cache))
    task = Task(order.container, bundle, _image(order))
    prepared = prepare(planned(task, node, node.records()), Host(cache=node.cache, quota=node.quota))
    process = spec.get("process") or {}
    return start.Start(
        prepared=prepared,
        joined=tuple(order.joined),
        root=order.root,
        workers=_workers(spec),
        user=start.user_of(process),
        rlimits=_rlimits(process),
        oom_score=str(process.get("oomScoreAdj", "")),
        resolver=_resolver(bundle) if prepared.plan.outbound else (),
        log=termination_log(bundle),
    )


def _image(order: WorkerOrder) -> Callable[[], Path]:
    """Mounts the container's image where this process alone sees it."""

    def mounted() -> Path:
        root.own_mounts()
        target = Path(order.bundle, "rootfs")
        root.mount_image(order.rootfs, target)
        return target

    return mounted


def _workers(spec: Mapping[str, Any]) -> int:
    """One for each CPU of the container's limit, begun ones too; one without a limit."""
    cpu = ((spec.get("linux") or {}).get("resources") or {}).get("cpu") or {}
    quota, period = cpu.get("quota") or 0, cpu.get("period") or 100_000
    return max(1, math.ceil(quota / period))


def _rlimits(process: Mapping[str, Any]) -> tuple[tuple[int, int, int], ...]:
    """Those that this kernel knows."""
    given = process.get("rlimits") or ()
    known = [(getattr(resource, each["type"], None), each) for each in given]
    return tuple((kind, _rlimit(each["soft"]), _rlimit(each["hard"])) for kind, each in known if kind is not None)


def _rlimit(value: int) -> int:
    """The specification's numbers are unsigned: the largest is no limit."""
    return resource.RLIM_INFINITY if value >= 1 << 63 else value


def _resolver(bundle: Bundle) -> tuple[tuple[str, str], ...]:
    found = [(bundle.mount(path), path) for path in _RESOLVER]
    return tuple((mount.host, path) for mount, path in found if mount)
