"""Keeps one node as it should be: looks, decides, acts, and looks again."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping

from wherry.errors import WherryError
from wherry_agent.decision import Known, Step, decide
from wherry_agent.installation import Installation
from wherry_agent.names import Order, Outcome
from wherry_agent.node_object import NodeObject
from wherry_agent.pods import Orders
from wherry_agent.probing import Probing
from wherry_agent.programs import Programs
from wherry_agent.progress import Progress
from wherry_agent.warming import Warming

LOG = logging.getLogger(__name__)
LOOK, ASK = 1.0, 15.0
"""Seconds between looks at the node, and between questions to containerd and about the node's label."""


class Keeper:
    """Belongs to one event loop."""

    def __init__(  # noqa: PLR0913, PLR0917 - what it keeps, by whom, and who tells it
        self,
        installation: Installation,
        node: NodeObject,
        programs: Programs,
        probing: Probing,
        warming: Warming,
        orders: Orders,
    ) -> None:
        self._installation, self._node, self._programs = installation, node, programs
        self._probing, self._warming, self._orders = probing, warming, orders
        self._seen = asyncio.Event()
        self._runtime_is_known = True
        self.progress = Progress()

    async def run(self) -> None:
        """Until it is cancelled. Nothing is done before the DaemonSet and the node were seen: they may forbid it."""
        try:
            await self._seen.wait()
            while True:
                if self._orders.text is not None:
                    self.progress.obey(Order.parse(self._orders.text))
                    await self._act(decide(self._look()))
                await asyncio.sleep(LOOK)
        finally:
            await self._warming.stop()

    async def ask_around(self) -> None:
        """What costs more than a look, until it is cancelled."""
        while True:
            try:
                await self._ask()
            except (WherryError, OSError) as fault:
                LOG.warning("%s", fault)
            await asyncio.sleep(ASK)

    async def _ask(self) -> None:
        marked = await self._node.is_marked()
        if not self._seen.is_set():
            self.progress.proven = marked
        self.progress.marked = marked
        self._seen.set()
        self._runtime_is_known = await asyncio.to_thread(self._installation.runtime_is_known)

    def _look(self) -> Known:
        here = self._installation
        return self.progress.known(
            time.monotonic(),
            installed=bool(here.current),
            healthy=here.zygote_is_alive() and self._runtime_is_known,
            signature=here.signature(),
        )

    async def _act(self, step: Step) -> None:
        try:
            await self._steps[step]()
        except (WherryError, OSError) as fault:
            LOG.warning("%s: %s", step.name.lower(), fault)

    @property
    def _steps(self) -> Mapping[Step, Callable[[], Awaitable[None]]]:
        return {
            Step.REST: self._rest,
            Step.INSTALL: self._install,
            Step.MARK: self._mark,
            Step.WITHDRAW: self._withdraw,
            Step.UNINSTALL: self._uninstall,
            Step.ANSWER: self._answer,
        }

    async def _rest(self) -> None:
        """Nothing is to be done."""

    async def _install(self) -> None:
        ended = await self._programs.install(proven=self.progress.proven)
        if ended.fault:
            again = self.progress.failed(time.monotonic())
            LOG.error("this version is not installed, again in %.0f s: %s", again, ended.fault)
            return
        self._runtime_is_known = True
        self.progress.succeeded(time.monotonic(), self._installation.signature())
        self._warming.start(self._installation.current)
        await self._mark()

    async def _mark(self) -> None:
        await self._node.mark(self._installation.current)
        self.progress.marked = True

    async def _withdraw(self) -> None:
        LOG.warning("no more pods are to come to this node")
        await self._node.withdraw()
        self.progress.withdrawn()

    async def _uninstall(self) -> None:
        if order := self.progress.order:
            await self._warming.stop()
            await self._probing.clear()
            ended = await self._programs.uninstall(force=order.force)
            if ended.fault:
                self.progress.failed(time.monotonic())
                await self._node.answer(Outcome(order.id, ended.fault))

    async def _answer(self) -> None:
        if order := self.progress.order:
            await self._node.answer(Outcome(order.id, ""))
            self.progress.answered = True
