"""Code compiled before it is asked for, where that costs no pod anything: for pods that wait for something else.

A pod that starts at once is not helped: the kubelet is as quick as we are. One that waits for a volume, for init
containers or for another image finds its code ready. After an upgrade all code of this node is made for the new engine.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Iterator

from wherry_agent.pods import Code, Pods
from wherry_agent.programs import Programs

LOG = logging.getLogger(__name__)
PATIENCE = 3.0
"""Seconds for which a pod is left to start by itself."""
_LOOK = 1.0


class Warming:
    """One program at a time. clock: monotonic, in seconds."""

    def __init__(self, pods: Pods, programs: Programs, clock: Callable[[], float] = time.monotonic) -> None:
        self._pods, self._programs, self._clock = pods, programs, clock
        self._waits: dict[Code, float] = {}
        self._known: set[Code] = set()
        self._tree = ""
        self._made_anew: list[Code] = []
        self._work: asyncio.Task[None] | None = None

    def start(self, tree: str) -> None:
        """From now on, by this tree. Another one may have another engine: what runs here will start on it next time."""
        if tree != self._tree:
            self._tree = tree
            self._made_anew = list(dict.fromkeys(code for pod in self._pods for code in pod.codes))
        self._work = self._work or asyncio.ensure_future(self._run())

    async def stop(self) -> None:
        """Nothing compiles any more: a program that does is ended first."""
        if self._work is not None:
            self._work.cancel()
            await asyncio.wait([self._work])
            self._work = None

    async def _run(self) -> None:
        while True:
            try:
                await self._warm(self._made_anew, pull=False)
                await self._warm(self.due(), pull=True)
            except OSError as error:
                LOG.warning("nothing can be compiled ahead: %s", error)
            await asyncio.sleep(_LOOK)

    def due(self) -> list[Code]:
        """What pods have been waiting for long enough, each once."""
        now, waiting = self._clock(), set(self._waiting())
        self._waits = {code: self._waits.get(code, now) for code in waiting}
        return [code for code, since in self._waits.items() if now - since >= PATIENCE and code not in self._known]

    def _waiting(self) -> Iterator[Code]:
        return (code for pod in self._pods if pod.waits for code in pod.codes)

    async def _warm(self, codes: Iterable[Code], *, pull: bool) -> None:
        for code in list(codes):
            self._known.add(code)
            ended = await self._programs.prewarm(code.image, code.plan, pull=pull)
            LOG.info("%s: %s", code.image, ended.fault or "compiled before it is asked for")
        if not pull:
            self._made_anew = []
