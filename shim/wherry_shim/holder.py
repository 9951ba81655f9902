"""In a child of the nursery: a pod's namespaces are made, and a program without Python holds them from then on."""

from __future__ import annotations

import os
import signal
from typing import NoReturn

from wherry.errors import StartError
from wherry_shim.linux.namespaces import CLONE_NEWNET, CLONE_NEWUTS, sethostname, setns, unshare
from wherry_shim.linux.process import die_with_parent
from wherry_shim.order import HolderOrder, holder_order, report_fault, report_ready


def main(words: bytes, files: list[int]) -> NoReturn:
    """files: where to report. Never returns."""
    (report,) = files
    try:
        order = holder_order(words)
        try:
            _make(order)
        except OSError as fault:
            report_fault(report, StartError("instantiate", f"the pod's namespaces: {fault}"))
            os._exit(1)
        report_ready(report)
        os.closerange(0, 1 << 16)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # kept by execve: the kernel reaps what is orphaned in the pod
        os.execve(order.program, ["wherry-holder"], {})  # noqa: S606 - a file of ours
    finally:
        os._exit(1)


def _make(order: HolderOrder) -> None:
    # In a new pid namespace nobody is seen as the parent.
    die_with_parent(os.getppid(), signal.SIGKILL)
    os.setsid()
    if order.netns:
        namespace = os.open(order.netns, os.O_RDONLY | os.O_CLOEXEC)
        setns(namespace, CLONE_NEWNET)
        os.close(namespace)
    unshare(order.new)
    if order.hostname and order.new & CLONE_NEWUTS:
        sethostname(order.hostname)
    for name, value in order.sysctls.items():
        _write(f"/proc/sys/{name.replace('.', '/')}", value)


def _write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)
