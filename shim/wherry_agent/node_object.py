"""The two objects that an agent changes: its node, by a label, and its own Pod, by an answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from wherry.cluster.connection import Connection
from wherry.cluster.names import RUNTIME
from wherry.cluster.patience import Patience, insist
from wherry.cluster.request import MERGE_PATCH, Request
from wherry.cluster.resources import NODE, POD, Resource
from wherry_agent.names import INSTALLED, OUTCOME, READY, Outcome
from wherry_agent.post import Post


@dataclass(frozen=True, slots=True)
class NodeObject:
    """Every method raises a ClusterError when patience is spent."""

    connection: Connection
    post: Post
    patience: Patience = Patience(budget=10.0)  # noqa: RUF009  frozen

    async def is_marked(self) -> bool:
        request = Request(verb="get", resource=NODE, name=self.post.node)
        found = await insist(lambda: self.connection.ask(request), self.patience)
        return bool((found["metadata"].get("labels") or {}).get(RUNTIME) == READY)

    async def mark(self, installed: str) -> None:
        """Pods may come. installed: the tree's name."""
        await self._patch(NODE, "", self.post.node, labels={RUNTIME: READY}, annotations={INSTALLED: installed})

    async def withdraw(self) -> None:
        """No pods may come; nothing of ours is left on the node's object."""
        await self._patch(NODE, "", self.post.node, labels={RUNTIME: None}, annotations={INSTALLED: None})

    async def answer(self, outcome: Outcome) -> None:
        """What came of an order to uninstall."""
        await self._patch(POD, self.post.namespace, self.post.pod, annotations={OUTCOME: str(outcome)[:1000]})

    async def _patch(self, resource: Resource, namespace: str, name: str, **metadata: Mapping[str, str | None]) -> None:
        request = Request(
            verb="patch",
            resource=resource,
            namespace=namespace,
            name=name,
            body={"metadata": metadata},
            content_type=MERGE_PATCH,
        )
        await insist(lambda: self.connection.ask(request), self.patience)
