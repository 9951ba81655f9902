"""The loop: look at the node, decide, act, and beside it what the node has to tell: traps, counters, its own health."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping

from wherry.cluster.connection import Connection
from wherry.cluster.feed import Feed
from wherry.cluster.informer import Informer
from wherry.cluster.resources import DAEMON_SET, POD
from wherry.cluster.serving import served
from wherry.cluster.telling import Reporter, Teller
from wherry.errors import WherryError
from wherry_agent.decision import Known, Step, decide
from wherry_agent.installation import Installation
from wherry_agent.ledger import Ledger
from wherry_agent.names import REPORTER, UNINSTALL, Order, Outcome
from wherry_agent.node_metrics import NodeState, cache_size, node_page
from wherry_agent.node_object import NodeObject
from wherry_agent.pods import Orders, Pods
from wherry_agent.post import Post
from wherry_agent.probing import Probing
from wherry_agent.programs import Programs
from wherry_agent.progress import Progress
from wherry_agent.trap_events import TrapEvents
from wherry_agent.trap_files import taken
from wherry_agent.warming import Warming

LOG = logging.getLogger(__name__)
LOOK, LISTEN, ASK = 1.0, 5.0, 15.0
"""Seconds between looks at the node, at the guests' files, and questions to containerd and about the node's label."""


class Agent:
    """Belongs to one event loop."""

    def __init__(self, connection: Connection, post: Post, programs: Programs) -> None:
        self._connection, self._post = connection, post
        self._programs = programs
        self._installation = Installation(post.host, post.prefix, post.state)
        self._node = NodeObject(connection, post)
        self._orders, self._pods = Orders(UNINSTALL, post.daemon_set), Pods()
        teller = Teller(connection, Reporter(controller=REPORTER, instance=post.pod, action="Run"))
        self._ledger = Ledger(post.host.at(post.state), self._pods)
        self._progress = Progress()
        self._events = TrapEvents(self._pods, teller)
        self._warming = Warming(self._pods, programs)
        self._warm: asyncio.Task[None] | None = None
        self._seen = asyncio.Event()
        self._is_known = True
        self._cache = (0, 0)

    async def run(self, port: int) -> None:
        """Until it is cancelled. Whatever runs on the node then goes on. port: of /metrics, /healthz and /readyz."""
        async with served(port, self.page, self.is_ready), asyncio.TaskGroup() as group:
            for informer in self._informers():
                group.create_task(informer.run())
            group.create_task(self._ask_around())
            group.create_task(self._listen())
            try:
                await self._steps()
            finally:
                await self._cool_down()

    def is_ready(self) -> bool:
        """Whether this version works here: a DaemonSet's rollout waits for it, node after node."""
        return self._progress.marked and self._progress.good

    def page(self) -> bytes:
        """For Prometheus."""
        meters = self._ledger.show()
        files, size = self._cache
        state = NodeState(
            node=self._post.node,
            installed=self._installation.current,
            zygote=self._installation.zygote_is_alive(),
            marked=self._progress.marked,
            pods=len({meter.pod.uid for meter in meters if meter.gone is None}),
            cache_files=files,
            cache_bytes=size,
            attempts=dict(self._progress.attempts),
        )
        return node_page(state, meters)

    def _informers(self) -> tuple[Informer, ...]:
        here = Feed(resource=POD, fields=f"spec.nodeName={self._post.node}")
        own = Feed(
            resource=DAEMON_SET,
            namespace=self._post.namespace,
            fields=f"metadata.name={self._post.daemon_set}",
            metadata_only=True,
        )
        return Informer(self._connection, here, self._pods), Informer(self._connection, own, self._orders)

    async def _steps(self) -> None:
        """Nothing is done before the DaemonSet and the node were seen: they may say that nothing is to be."""
        await self._seen.wait()
        while True:
            if self._orders.text is not None:
                self._progress.obey(Order.parse(self._orders.text))
                await self._act(decide(self._look()))
            await asyncio.sleep(LOOK)

    def _look(self) -> Known:
        here = self._installation
        return self._progress.known(
            time.monotonic(),
            installed=bool(here.current),
            healthy=here.zygote_is_alive() and self._is_known,
            signature=here.signature(),
        )

    async def _act(self, step: Step) -> None:
        try:
            await self._acts[step]()
        except (WherryError, OSError) as fault:
            LOG.warning("%s: %s", step.name.lower(), fault)

    @property
    def _acts(self) -> Mapping[Step, Callable[[], Awaitable[None]]]:
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
        ended = await self._programs.install(proven=self._progress.proven)
        if ended.fault:
            again = self._progress.failed(time.monotonic())
            LOG.error("this version is not installed, again in %.0f s: %s", again, ended.fault)
            return
        self._is_known = True
        self._progress.succeeded(time.monotonic(), self._installation.signature())
        self._warm_up()
        await self._mark()

    def _warm_up(self) -> None:
        """On the tree that is in use now."""
        if self._warm is None:
            self._warm = asyncio.ensure_future(self._warming.run())
        self._warming.installed(self._installation.current)

    async def _cool_down(self) -> None:
        """Nothing compiles any more."""
        if self._warm is not None:
            self._warm.cancel()
            await asyncio.wait([self._warm])
            self._warm = None

    async def _mark(self) -> None:
        await self._node.mark(self._installation.current)
        self._progress.marked = True

    async def _withdraw(self) -> None:
        LOG.warning("no more pods are to come to this node")
        await self._node.withdraw()
        self._progress.withdrawn()

    async def _uninstall(self) -> None:
        if order := self._progress.order:
            await self._cool_down()
            await Probing(self._connection, self._post).clear()
            ended = await self._programs.uninstall(force=order.force)
            if ended.fault:
                self._progress.failed(time.monotonic())
                await self._node.answer(Outcome(order.id, ended.fault))

    async def _answer(self) -> None:
        if order := self._progress.order:
            await self._node.answer(Outcome(order.id, ""))
            self._progress.answered = True

    async def _ask_around(self) -> None:
        """What costs more than a look."""
        while True:
            try:
                marked = await self._node.is_marked()
                self._progress.proven = self._progress.proven or (marked and not self._seen.is_set())
                self._progress.marked = marked
                self._seen.set()
                self._is_known = await asyncio.to_thread(self._installation.runtime_is_known)
                self._cache = await asyncio.to_thread(cache_size, self._post.host.at(self._post.cache))
            except (WherryError, OSError) as fault:
                LOG.warning("%s", fault)
            await asyncio.sleep(ASK)

    async def _listen(self) -> None:
        """To what guests leave."""
        while True:
            try:
                await self._events.tell(taken(self._post.host.at(self._post.state)))
                self._ledger.sample()
            except (WherryError, OSError) as fault:
                LOG.warning("%s", fault)
            await asyncio.sleep(LISTEN)
