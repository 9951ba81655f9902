"""The process of a guest: it gives up its view of the node and its rights, loads the guest, and ends as that does.

Every Python object that it touches is a page of its own: what can be found out before is found out by the planner.
"""

from __future__ import annotations

import codecs
import os
import signal
import traceback
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from wherry.engine import command, egress  # noqa: F401 - nothing can be imported once the root is another
from wherry.engine.host import Host
from wherry.engine.http import supervisor  # noqa: F401
from wherry.engine.run import Loaded, load
from wherry.errors import StartError, WherryError
from wherry.plan.ending import EXIT_KILLED, EXIT_START, Ending
from wherry_shim.linux import seccomp
from wherry_shim.linux.calls import make
from wherry_shim.linux.namespaces import CLONE_NEWIPC, CLONE_NEWNET, CLONE_NEWNS, CLONE_NEWUTS, setns
from wherry_shim.order import report_fault, report_ready
from wherry_shim.worker.start import Start, read

PLANNED, GO = b"p", b"g"
"""What the host tells a worker: the start is written; the guest may run."""

_NAMESPACES = CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS
_NOWHERE = Path("/")
_ENDINGS = (signal.SIGTERM, signal.SIGINT)
_FILTER = seccomp.worker_filter()
codecs.lookup("idna")  # that of host names: nothing can be imported later


def main(_words: bytes, files: list[int]) -> NoReturn:
    """files: where to report, where to wait, the start, the planner's pidfd, stdin, stdout and stderr, and for a pod
    its metrics and traps.

    Never returns: the process ends as the guest did.
    """
    report, waits, memory, planner, *rest = files
    code = EXIT_START
    try:
        _await(waits, PLANNED)
        guest, log = _ready(read(memory), planner, rest[:3], rest[3:])
        report_ready(report)
        os.close(report)
        _await(waits, GO)
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


def _await(waits: int, word: bytes) -> None:
    if os.read(waits, 1) != word:
        os._exit(EXIT_KILLED)  # nobody starts it any more


def _ready(start: Start, planner: int, stdio: list[int], kept: list[int]) -> tuple[Loaded, int]:
    """The guest, loaded, with nothing of the node in view; and the termination log, -1 for none."""
    for number, descriptor in enumerate(stdio):
        os.dup2(descriptor, number)
        os.close(descriptor)
    log = os.open(start.log, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC) if start.log else -1
    signal.pthread_sigmask(signal.SIG_BLOCK, _ENDINGS)  # the first process of a namespace loses what it does not handle
    setns(planner, _NAMESPACES)
    os.close(planner)
    make(start.calls)
    metrics, traps = kept or (None, None)
    host = Host(address="::", workers=start.workers, alone=True, cache=_NOWHERE, metrics=metrics, traps=traps)
    guest = load(start.prepared, host)
    seccomp.install(_FILTER)
    return guest, log


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
