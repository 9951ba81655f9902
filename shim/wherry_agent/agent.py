"""The agent as a whole: its parts, made once and put together, and what the node has to tell: traps and counters."""

from __future__ import annotations

import asyncio
import logging

from wherry.cluster.connection import Connection
from wherry.cluster.feed import Feed
from wherry.cluster.informer import Informer
from wherry.cluster.resources import DAEMON_SET, POD
from wherry.cluster.serving import served
from wherry.cluster.telling import Reporter, Teller
from wherry.errors import WherryError
from wherry_agent.installation import Installation
from wherry_agent.keeper import Keeper
from wherry_agent.ledger import Ledger
from wherry_agent.names import REPORTER, UNINSTALL
from wherry_agent.node_metrics import NodeState, cache_size, node_page
from wherry_agent.node_object import NodeObject
from wherry_agent.pods import Orders, Pods
from wherry_agent.post import Post
from wherry_agent.probing import Probing
from wherry_agent.programs import Programs
from wherry_agent.trap_events import TrapEvents
from wherry_agent.trap_files import taken
from wherry_agent.warming import Warming

LOG = logging.getLogger(__name__)
LISTEN = 5.0
"""Seconds between looks at what guests leave."""


class Agent:
    """Belongs to one event loop."""

    def __init__(self, connection: Connection, post: Post, programs: Programs) -> None:
        self._connection, self._post = connection, post
        self._orders, self._pods = Orders(UNINSTALL, post.daemon_set), Pods()
        self._installation = Installation(post.host, post.prefix, post.state)
        self._keeper = Keeper(
            self._installation,
            NodeObject(connection, post),
            programs,
            Probing(connection, post),
            Warming(self._pods, programs),
            self._orders,
        )
        self._ledger = Ledger(post.host.at(post.state), self._pods)
        reporter = Reporter(controller=REPORTER, instance=post.pod, action="Run")
        self._events = TrapEvents(self._pods, Teller(connection, reporter))
        self._cache = (0, 0)

    async def run(self, port: int) -> None:
        """Until it is cancelled. Whatever runs on the node then goes on. port: of /metrics, /healthz and /readyz."""
        async with served(port, self.page, self.is_ready), asyncio.TaskGroup() as group:
            for informer in self._informers():
                group.create_task(informer.run())
            group.create_task(self._keeper.ask_around())
            group.create_task(self._keeper.run())
            group.create_task(self._listen())

    def is_ready(self) -> bool:
        """Whether this version works here: a DaemonSet's rollout waits for it, node after node."""
        return self._keeper.progress.marked and self._keeper.progress.good

    def page(self) -> bytes:
        """For Prometheus."""
        meters, (files, size) = self._ledger.show(), self._cache
        state = NodeState(
            node=self._post.node,
            installed=self._installation.current,
            zygote=self._installation.zygote_is_alive(),
            marked=self._keeper.progress.marked,
            pods=len({meter.pod.uid for meter in meters if meter.gone is None}),
            cache_files=files,
            cache_bytes=size,
            attempts=dict(self._keeper.progress.attempts),
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

    async def _listen(self) -> None:
        """To what guests leave."""
        state, cache = self._post.host.at(self._post.state), self._post.host.at(self._post.cache)
        while True:
            try:
                await self._events.tell(taken(state))
                self._ledger.sample()
                self._cache = await asyncio.to_thread(cache_size, cache)
            except (WherryError, OSError) as fault:
                LOG.warning("%s", fault)
            await asyncio.sleep(LISTEN)
