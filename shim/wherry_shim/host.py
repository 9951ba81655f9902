"""A shim host: one process that answers containerd for some tens of pods, and is the parent of all their processes."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
from dataclasses import dataclass

from google.protobuf.message import Message

from wherry_shim.hosts import Hosts, Place, Seat
from wherry_shim.linux.allocator import share_one_arena
from wherry_shim.linux.process import become_subreaper
from wherry_shim.nursery import Nursery, found
from wherry_shim.proto.topics import topic_of
from wherry_shim.reaper import Reaper
from wherry_shim.request import Request
from wherry_shim.settings import Settings
from wherry_shim.task.maker import Maker
from wherry_shim.task.service import TaskService
from wherry_shim.ttrpc.publisher import Publisher
from wherry_shim.ttrpc.server import Server
from wherry_shim.worker import planner, worker

PROMISED = 1.0
"""Seconds between looks at pods that were promised to a host and may come to nothing."""

HANG_UP = 1.0
"""Seconds for clients to hang up: Go's ttrpc client may lose an answer that our end follows at once."""

DELIVERY = 10.0
"""Seconds for the last events to reach containerd."""


@dataclass(frozen=True, slots=True)
class Post:
    """request: the first `start`, which tells whose pods these are."""

    request: Request
    settings: Settings
    hosts: Hosts
    place: Place
    seat: Seat
    nursery: Nursery


def prepare() -> Nursery:
    """Leave the launcher's and the zygote's session, and found the nursery while there is nothing to hide."""
    os.setsid()
    os.chdir("/")
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    os.close(null)
    become_subreaper()
    return found([planner.main, worker.main])


def serve(post: Post) -> None:
    """Until the last pod is gone."""
    share_one_arena()
    gc.enable()
    asyncio.run(_Host(post).run())


class _Host:
    def __init__(self, post: Post) -> None:
        self._post = post
        self._over = asyncio.Event()
        self._resting: asyncio.TimerHandle | None = None
        self._publisher = Publisher(post.request.events, post.request.namespace, _log)

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        # Since Python 3.12: what need not wait does not wait for the loop's next round either.
        loop.set_task_factory(getattr(asyncio, "eager_task_factory", None))
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, _log, "a host ends with its last pod; SIGKILL ends its pods as well")
        reaper = Reaper(loop)
        maker = Maker(self._post.request, self._post.settings, self._post.nursery, reaper)
        self._service = TaskService(maker.make, self._publish, self._gone)
        maker.tasks = self._service.tasks
        reaper.watch(self._post.nursery.pid).add_done_callback(self._retire)
        server = Server(self._service.methods(), _log)
        await server.serve(self._post.seat.listener)
        self._rest()
        await self._over.wait()
        server.close()
        await self._publisher.drain(DELIVERY)
        await server.hung_up(HANG_UP)

    def _publish(self, event: Message) -> None:
        self._publisher.publish(topic_of(event), event)

    def _gone(self, task: str) -> None:
        """Only a pod has a place to leave."""
        if self._post.place.has(task):
            self._post.hosts.leave(self._post.place, task)
            self._rest()

    def _rest(self, seconds: float | None = None) -> None:
        """Without a pod it waits for the next one, from now on."""
        if self._resting:
            self._resting.cancel()
        if not self._service.tasks:
            wait = self._post.settings.linger if seconds is None else seconds
            self._resting = asyncio.get_running_loop().call_later(wait, self._end_if_empty)

    def _end_if_empty(self) -> None:
        if self._service.tasks or self._over.is_set():
            return
        if self._post.hosts.close(self._post.place):
            self._over.set()
        else:
            self._rest(PROMISED)

    def _retire(self, _: asyncio.Future[int]) -> None:
        """This process is full of pods' secrets: no nursery can be forked from it again."""
        _log("its nursery has ended: its pods go on, without new containers; new pods have another host")
        self._post.place.retire()


def _log(line: str) -> None:
    """To the zygote's journal."""
    print(f"wherry: host {os.getpid()}: {line}", file=sys.stderr, flush=True)
