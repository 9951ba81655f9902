"""Which replica acts: a Lease (coordination.k8s.io/v1), held by one at a time.

Nothing here trusts a wall clock. A holder counts from before its last renewal was sent and stops `patience` seconds
later, whatever the API server does; the others count from when they saw that renewal and wait for `duration`, which
is longer. Times in the Lease are for people.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from wherry.cluster.connection import Connection
from wherry.cluster.failures import ClusterError, NotFound
from wherry.cluster.request import Request
from wherry.cluster.resources import LEASE
from wherry_operator.manifest import Key, Manifest

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Seconds. duration: others wait so long for a sign of life; patience: the holder acts so long without an answer.

    retry: between two tries. The work of the holder has duration - patience to end in.
    """

    duration: float = 15.0
    patience: float = 10.0
    retry: float = 2.0


def steady() -> float:
    """Seconds that also pass while the machine is suspended."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Election:
    """One candidate. identity: unique among the replicas and over restarts of one."""

    def __init__(
        self,
        connection: Connection,
        lease: Key,
        identity: str,
        *,
        terms: Terms | None = None,
        clock: Callable[[], float] = steady,
    ) -> None:
        self._connection = connection
        self._lease = lease
        self._identity = identity
        self._terms = terms or Terms()
        self._clock = clock
        self._seen: tuple[str, float] = ("", 0.0)
        self._renewed = float("-inf")

    @property
    def leads(self) -> bool:
        """Whether this candidate may act at this moment."""
        return self._left > 0

    @property
    def _left(self) -> float:
        """Seconds for which this candidate may act without another renewal."""
        return self._renewed + self._terms.patience - self._clock()

    async def run(self, lead: Callable[[], Awaitable[None]]) -> None:
        """Wait to be elected, then `lead` until it ends or the Lease is lost, which cancels it.

        The Lease is given back at the end, also when this is cancelled, so that another takes over at once.
        """
        try:
            while not await self._try():
                await self._pause()
            LOG.info("%s leads", self._identity)
            await self._hold(asyncio.ensure_future(lead()))
            LOG.info("%s leads no longer", self._identity)
        finally:
            await self._release()

    async def _hold(self, work: asyncio.Future[None]) -> None:
        """Renew while the work goes on. Raises what the work raises; has ended when the work has."""
        try:
            while not work.done() and self.leads:
                await asyncio.wait([work], timeout=min(self._terms.retry, self._left))
                await self._renew()
        finally:
            work.cancel()
            await asyncio.wait([work])
        if not work.cancelled():
            work.result()

    async def _renew(self) -> None:
        """Once, while it is not too late for that."""
        if self.leads:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._left):
                    await self._try()

    async def _try(self) -> bool:
        """Take or renew the Lease once; whether it is ours now. A failure to ask is no answer."""
        sent = self._clock()
        try:
            lease = await self._read()
            if lease is not None and not self._free(lease):
                self._renewed = float("-inf")
                return False
            await self._write(lease, self._identity, self._terms.duration)
        except ClusterError as failure:
            LOG.info("%s: %s", self._identity, failure)
            return False
        self._renewed = sent
        return True

    def _free(self, lease: Manifest) -> bool:
        """Ours, given back, or without a sign of life for as long as its holder asked for."""
        holder, version = lease["spec"].get("holderIdentity") or "", lease["metadata"]["resourceVersion"]
        if holder in ("", self._identity):
            return True
        if self._seen[0] != version:
            self._seen = (version, self._clock())
        duration = float(lease["spec"].get("leaseDurationSeconds") or self._terms.duration)
        return self._clock() >= self._seen[1] + duration

    async def _read(self) -> Manifest | None:
        try:
            lease: Manifest = await self._ask("get", None)
        except NotFound:
            return None
        return lease

    async def _write(self, lease: Manifest | None, holder: str, duration: float) -> None:
        """Raises Conflict when somebody else wrote since it was read."""
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        spec = dict(lease["spec"]) if lease else {}
        if spec.get("holderIdentity") != holder:
            spec |= {"acquireTime": now, "leaseTransitions": spec.get("leaseTransitions", -1) + 1}
        spec |= {"holderIdentity": holder, "renewTime": now, "leaseDurationSeconds": max(1, round(duration))}
        metadata = lease["metadata"] if lease else {"namespace": self._lease.namespace, "name": self._lease.name}
        body = {"apiVersion": LEASE.api_version, "kind": LEASE.kind, "metadata": metadata, "spec": spec}
        await self._ask("update" if lease else "create", body)

    async def _release(self) -> None:
        """Only what is ours; the others find out by themselves if this fails."""
        held, self._renewed = self.leads, float("-inf")
        if not held:
            return
        with suppress(ClusterError):
            lease = await self._read()
            if lease is not None and lease["spec"].get("holderIdentity") == self._identity:
                await self._write(lease, "", 1.0)

    async def _ask(self, verb: Any, body: Any) -> Any:
        name = "" if verb == "create" else self._lease.name
        request = Request(verb=verb, resource=LEASE, namespace=self._lease.namespace, name=name, body=body)
        return await self._connection.ask(request, within=self._terms.patience / 2, queued=False)

    async def _pause(self) -> None:
        await asyncio.sleep(self._terms.retry * (0.8 + 0.4 * random.random()))  # noqa: S311 - no secret
