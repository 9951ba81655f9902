"""One call of containerd, answered in a child of the zygote: `start` finds or becomes a host, `delete` cleans up."""

from __future__ import annotations

import os
import sys
import time
import traceback
from typing import NoReturn

from google.protobuf.timestamp_pb2 import Timestamp

from wherry.errors import StartError, WherryError
from wherry.plan.ending import EXIT_KILLED
from wherry_shim import host, undo
from wherry_shim.bootstrap import answered
from wherry_shim.grouping import pod_of
from wherry_shim.hosts import Hosts, Place, sweep
from wherry_shim.linux.process import set_name
from wherry_shim.proto.task_pb2 import DeleteResponse
from wherry_shim.reply import Launcher
from wherry_shim.request import Request
from wherry_shim.settings import Settings


def main(request: Request, settings: Settings, launcher: Launcher) -> NoReturn:
    """Never returns: this process ends, or becomes a host until its last pod is gone."""
    status = 1
    try:
        if request.action == "delete":
            launcher.succeed(_delete(request, settings))
        else:
            _start(request, settings, launcher)
        status = 0
    except (WherryError, OSError) as fault:
        launcher.fail(f"wherry: {fault}")
    except BaseException:  # the edge of a process
        launcher.fail(f"wherry: {traceback.format_exc(limit=-3)}")
    finally:
        sys.stderr.flush()
        os._exit(status)


def _delete(request: Request, settings: Settings) -> bytes:
    """What containerd calls when a shim's connection is gone: clean up, and say how the container ended."""
    undo.carry_out(request.bundle)
    sweep(settings.hosts)
    now = Timestamp(seconds=int(time.time()))
    return DeleteResponse(exit_status=EXIT_KILLED, exited_at=now).SerializeToString()


def _start(request: Request, settings: Settings, launcher: Launcher) -> None:
    hosts = Hosts(settings.hosts, request.containerd, request.namespace, settings.pods_per_host)
    pod = pod_of(request.bundle, request.id)
    if pod != request.id:
        if (found := hosts.find(pod)) is None:
            raise StartError("plan", f"the shim of pod {pod} is gone", cure="the kubelet makes the pod anew")
        launcher.succeed(_answer(request, found))
        return
    place, listener = hosts.place(pod, request.bundle)
    try:
        answer = _answer(request, place)
        nursery = host.prepare() if listener else None
    except BaseException:
        if listener is None:
            hosts.leave(place, pod)
        else:
            place.remove()
        raise
    launcher.succeed(answer)
    if listener and nursery:
        set_name("wherry-host")
        host.serve(host.Post(request, settings, hosts, place, listener, nursery))


def _answer(request: Request, place: Place) -> bytes:
    # containerd 1.6 and 1.7 find the shim by this file when they start again.
    (request.bundle / "address").write_text(place.address)
    return answered(place.address, request.launcher, request.id)
