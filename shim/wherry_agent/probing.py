"""A probe Pod's life: made, asked after, removed. And the installer's proof, which it is."""

from __future__ import annotations

import asyncio
import logging
import os
import time

from wherry.cluster.connection import Connection, connect
from wherry.cluster.credentials import find
from wherry.cluster.failures import ClusterError, NotFound, Unavailable
from wherry.cluster.patience import Patience, insist
from wherry.cluster.request import Request, Verb
from wherry.cluster.resources import POD
from wherry_agent.names import REPORTER
from wherry_agent.post import Post
from wherry_agent.probe_pod import WASM, State, Verdict, name_for, probe_pod, verdict
from wherry_shim.node.cri import Cri
from wherry_shim.node.fault import NodeError
from wherry_shim.node.probe import Probe

LOG = logging.getLogger(__name__)
SECONDS = 120.0
"""For the Pod to answer: its image is here, its code is compiled in it."""
_BETWEEN = 0.5


class CannotProbe(NodeError):
    """No Pod could be tried: that says nothing of the installation."""


def prove(post: Post, cri: Cri) -> None:
    """Let a Pod answer; where Kubernetes has no room or no ear for one, a sandbox of containerd's stands for it.

    Raises NodeError when it does not answer.
    """
    try:
        asyncio.run(_proved(post))
    except CannotProbe as why:
        LOG.warning("%s; containerd is asked for a pod instead", why.message)
        Probe(post.image, str(WASM)).run(cri)


async def _proved(post: Post) -> None:
    async with connect(find(os.environ), REPORTER.rpartition("/")[2]) as connection:
        await Probing(connection, post).run()


class Probing:
    """patience: with an API server that does not answer. seconds: for the Pod."""

    def __init__(self, connection: Connection, post: Post, patience: Patience | None = None, seconds: float = SECONDS):
        self._connection, self._post = connection, post
        self._patience = patience or Patience(budget=60.0)
        self._seconds = seconds

    async def run(self) -> None:
        """Raises CannotProbe, or NodeError with the kubelet's words when the Pod does not answer in time."""
        name = name_for(self._post.pod)
        try:
            own = await self._ask("get", self._post.pod)
            await self._gone(name)
            await self._ask("create", "", probe_pod(own, self._post.probe_class))
        except Unavailable as lost:
            raise CannotProbe(f"no probe Pod could be made: {lost.message}") from None
        except ClusterError as refused:
            raise NodeError(f"the probe Pod was refused: {refused.message}", cure=refused.cure) from None
        try:
            _judge(await self._awaited(name))
        finally:
            await self._remove(name)

    async def _awaited(self, name: str) -> Verdict:
        deadline, seen = time.monotonic() + self._seconds, Verdict(State.WAITS, "the kubelet has not seen it")
        while seen.state is State.WAITS and time.monotonic() < deadline:
            await asyncio.sleep(_BETWEEN)
            try:
                seen = verdict(await self._ask("get", name))
            except NotFound:
                return Verdict(State.REJECTED, "somebody deleted it")
            except ClusterError as failure:  # the containerd that was restarted may carry the API server
                seen = Verdict(State.WAITS, failure.message)
        return seen

    async def clear(self) -> None:
        """A probe that was left behind is gone afterwards. Raises a ClusterError."""
        await self._gone(name_for(self._post.pod))

    async def _gone(self, name: str) -> None:
        """It has its name until its end."""
        deadline = time.monotonic() + self._patience.budget
        try:
            await self._ask("delete", name)
            while time.monotonic() < deadline:
                await self._ask("get", name)
                await asyncio.sleep(_BETWEEN)
        except NotFound:
            return

    async def _remove(self, name: str) -> None:
        """Its owner's end removes it as well."""
        try:
            await self._ask("delete", name)
        except ClusterError as failure:
            LOG.info("the probe Pod stays: %s", failure)

    async def _ask(self, verb: Verb, name: str, body: object = None) -> dict[str, object]:
        request = Request(verb=verb, resource=POD, namespace=self._post.namespace, name=name, body=body)
        answer: dict[str, object] = await insist(lambda: self._connection.ask(request), self._patience)
        return answer


def _judge(seen: Verdict) -> None:
    if seen.state is State.REJECTED:
        raise CannotProbe(f"the probe Pod was not admitted: {seen.said}")
    if seen.state is not State.ANSWERED:
        raise NodeError(f"the probe Pod did not answer: {seen.said}", cure="kubectl get events shows more")
