"""The operator as a whole: its parts, made once and put together, and what runs beside what until it is told to stop.

Every replica watches, so that its view is warm when it is its turn; only the one that leads works.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from wherry.cluster.connection import Connection, connect
from wherry.cluster.credentials import find
from wherry.cluster.serving import served
from wherry.cluster.telling import Reporter, Teller
from wherry.oci import registries
from wherry.oci.registries import Registries
from wherry_operator import handlers
from wherry_operator.cluster.election import Election
from wherry_operator.cluster.feeds import Scope
from wherry_operator.cluster.inputs_key import inputs_key
from wherry_operator.cluster.observed import Observed
from wherry_operator.cluster.writing import Cluster
from wherry_operator.desired.context import Context
from wherry_operator.labels import FIELD_MANAGER
from wherry_operator.manifest import Key, Manifest
from wherry_operator.metrics import Metrics
from wherry_operator.queue import Queue
from wherry_operator.reconcile import Parts, Reconciler
from wherry_operator.settings import Settings
from wherry_operator.supply import policy
from wherry_operator.supply.look import Place
from wherry_operator.supply.policy import Policy
from wherry_operator.supply.scratch import scratch
from wherry_operator.supply.supplier import Outside, Supplier
from wherry_operator.surroundings import Surroundings
from wherry_operator.working import work

LOG = logging.getLogger(__name__)
LEASE = "wherry-operator"
NEWS = 0.25
"""Seconds for which news of an app's objects wait for more: a Pod that starts tells of itself five times in one."""


@dataclass(frozen=True, slots=True)
class Documents:
    """What the settings name: read once, at the start, so that a wrong one stops the start and not an app."""

    registries: Registries
    policy: Policy

    @classmethod
    def load(cls, settings: Settings) -> Documents:
        """Raises InputError."""
        return cls(
            registries.load(settings.registries) if settings.registries else {},
            policy.load(settings.policy) if settings.policy else (),
        )


class Operation:
    """One process. Belongs to one event loop."""

    def __init__(self, settings: Settings, documents: Documents, connection: Connection, metrics: Metrics) -> None:
        self._settings = settings
        self._documents = documents
        self._connection = connection
        self._metrics = metrics
        self._queue: Queue[Key] = Queue()
        scope = Scope(namespaces=settings.namespaces, secrets=settings.watch_secrets, nodes=not settings.namespaces)
        self._observed = Observed(connection, scope)
        self._observed.subscribe(lambda key: self._queue.add_after(key, NEWS))
        who = Reporter(controller=f"wherry.dev/{FIELD_MANAGER}", instance=settings.identity, action="Reconcile")
        self._cluster = Cluster(connection, Teller(connection, who))

    @property
    def ready(self) -> bool:
        """Whether every kind has been read once."""
        return not self._observed.unsynced

    async def run(self) -> None:
        """Until SIGTERM or SIGINT, which kopf takes."""
        async with asyncio.TaskGroup() as group:
            others = [group.create_task(self._observed.run()), group.create_task(self._elected())]
            await handlers.watch(self._told, self._connection.way_in, self._settings.namespaces)
            for each in others:
                each.cancel()

    async def _elected(self) -> None:
        """Stands for election for as long as the process runs; what was lost may be won again."""
        if not self._settings.leader_election:
            await self._lead()
        lease = Key(self._settings.operator_namespace, LEASE)
        election = Election(self._connection, lease, self._settings.identity)
        while True:
            await election.run(self._lead)

    async def _lead(self) -> None:
        await self._observed.wait_synced()
        async with self._reconciler() as reconcile:
            for key in self._observed.apps():
                self._queue.add(key)
            self._metrics.leads(self._queue.__len__)
            try:
                await work(self._queue, reconcile, self._settings.workers, self._metrics)
            finally:
                self._metrics.rests()

    @asynccontextmanager
    async def _reconciler(self) -> AsyncIterator[Reconciler]:
        settings, documents = self._settings, self._documents
        key = await inputs_key(self._cluster, settings.operator_namespace)
        shared = Context(runner_image=settings.runner_image, always_pull=settings.always_pull)
        around = Surroundings(self._observed, self._cluster, key, shared, documents.registries)
        outside = Outside(count=lambda source: self._metrics.supplied.labels(source).inc())
        with scratch(settings.scratch) as folder:
            supplier = Supplier(Place(folder, documents.registries), around, settings.transfers, outside)
            try:
                yield Reconciler(Parts(self._observed, self._cluster, supplier, around, documents.policy), _now)
            finally:
                supplier.close()

    def _told(self, type_: str | None, manifest: Manifest) -> None:
        """What kopf saw of a WasmApp; a spec that its user has changed does not wait."""
        meta = manifest["metadata"]
        key = Key(meta["namespace"], meta["name"])
        if type_ == "DELETED":
            self._observed.forget_app(key)
        else:
            self._observed.put_app(manifest)
            if meta["generation"] != manifest.get("status", {}).get("observedGeneration"):
                self._queue.add(key)
        self._metrics.apps.set(len(self._observed.apps()))


async def operate(settings: Settings, environ: Mapping[str, str]) -> None:
    """Until told to stop. Raises InputError for what cannot be read at the start."""
    documents, metrics = Documents.load(settings), Metrics()
    async with AsyncExitStack() as stack:
        connection = await stack.enter_async_context(connect(find(environ), FIELD_MANAGER, metrics.asked))
        operation = Operation(settings, documents, connection, metrics)
        if settings.port:
            await stack.enter_async_context(served(settings.port, metrics.page, lambda: operation.ready))
        await operation.run()


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
