"""containerd's `start`, answered: a pod gets a place with a shim host, and its containers are told where that is.

Nearly always there is a host, and the zygote answers itself. What takes time or waits it leaves to a child: to found
a host, to read a pipe that has not ended.
"""

from __future__ import annotations

import os
import stat
import sys
import traceback
from typing import NoReturn

from wherry.errors import StartError, WherryError
from wherry_shim import host
from wherry_shim.bootstrap import answered, has_come, standard_input
from wherry_shim.grouping import pod_of
from wherry_shim.hosts import Hosts, Place
from wherry_shim.linux.process import set_name
from wherry_shim.reply import Launcher
from wherry_shim.request import Request
from wherry_shim.settings import Settings

_SMALL = 1 << 20
"""Bytes of a configuration that is searched in no time."""


def at_once(request: Request, settings: Settings) -> bytes | None:
    """What containerd is answered; None when that takes a child of its own. Raises OSError, StartError."""
    config = os.stat(request.bundle / "config.json")
    if not stat.S_ISREG(config.st_mode) or config.st_size > _SMALL or not has_come(request.launcher):
        return None
    hosts, pod = _hosts(request, settings), pod_of(request.bundle, request.id)
    if pod != request.id:
        found = hosts.find(pod)
        return _answer(request, found) if found else None
    joined = hosts.join(pod, request.bundle)
    return _given(request, hosts, joined, pod) if joined else None


def main(request: Request, settings: Settings, launcher: Launcher) -> NoReturn:
    """In a child of the zygote. Never returns: it ends, or becomes a host until its last pod is gone."""
    status = 1
    try:
        _start(request, settings, launcher)
        status = 0
    except (WherryError, OSError) as fault:
        launcher.fail(f"wherry: {fault}")
    except BaseException:  # the edge of a process
        launcher.fail(f"wherry: {traceback.format_exc(limit=-3)}")
    finally:
        launcher.settle()
        sys.stderr.flush()
        os._exit(status)


def _start(request: Request, settings: Settings, launcher: Launcher) -> None:
    hosts, pod = _hosts(request, settings), pod_of(request.bundle, request.id)
    if pod != request.id:
        if (found := hosts.find(pod)) is None:
            raise StartError("plan", f"the shim of pod {pod} is gone", cure="the kubelet makes the pod anew")
        launcher.succeed(_answer(request, found))
        return
    place, seat = hosts.place(pod, request.bundle)
    if seat is None:
        launcher.succeed(_given(request, hosts, place, pod))
        return
    try:
        answer, nursery = _answer(request, place), host.prepare()
    except BaseException:
        place.remove()
        raise
    launcher.succeed(answer)
    launcher.settle()
    set_name("wherry-host")
    host.serve(host.Post(request, settings, hosts, place, seat, nursery))


def _hosts(request: Request, settings: Settings) -> Hosts:
    return Hosts(settings.hosts, request.containerd, request.namespace, settings.pods_per_host)


def _given(request: Request, hosts: Hosts, place: Place, pod: str) -> bytes:
    """The answer to a pod that has a place with another's host; without an answer it has none."""
    try:
        return _answer(request, place)
    except BaseException:
        hosts.leave(place, pod)
        raise


def _answer(request: Request, place: Place) -> bytes:
    # containerd 1.6 and 1.7 find the shim by this file when they start again.
    (request.bundle / "address").write_text(place.address)
    return answered(place.address, request.id, standard_input(request.launcher))
