"""What the operator watches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from wherry.cluster.feed import Feed
from wherry.cluster.names import TRAPPED
from wherry.cluster.resources import (
    CONFIG_MAP,
    CRON_JOB,
    DAEMON_SET,
    DEPLOYMENT,
    DISRUPTION_BUDGET,
    EVENT,
    HTTP_ROUTE,
    INGRESS,
    JOB,
    NODE,
    POD,
    POD_AUTOSCALER,
    SECRET,
    SERVICE,
)
from wherry_operator import labels

CHILDREN = (
    DEPLOYMENT, DAEMON_SET, JOB, CRON_JOB, SERVICE, POD_AUTOSCALER, DISRUPTION_BUDGET, INGRESS, HTTP_ROUTE,
)  # fmt: skip
UNREAD_SECRETS = "type!=helm.sh/release.v1,type!=kubernetes.io/service-account-token"
"""Kinds of Secrets that no app reads and that fill clusters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """namespaces: the whole cluster when empty. secrets, nodes: whether the role grants list and watch on them."""

    namespaces: tuple[str, ...] = ()
    secrets: bool = True
    nodes: bool = True

    @property
    def places(self) -> tuple[str, ...]:
        """Namespaces to watch in; "" is all of them."""
        return self.namespaces or ("",)


def children(scope: Scope) -> Iterator[Feed]:
    """Everything that is labelled with an app."""
    for place in scope.places:
        for each in CHILDREN:
            yield Feed(resource=each, namespace=place, selector=labels.APP, optional=each is HTTP_ROUTE)


def pods(scope: Scope) -> Iterator[Feed]:
    for place in scope.places:
        yield Feed(resource=POD, namespace=place, selector=labels.APP)


def traps(scope: Scope) -> Iterator[Feed]:
    for place in scope.places:
        yield Feed(resource=EVENT, namespace=place, fields=f"reason={TRAPPED}")


def sources(scope: Scope) -> Iterator[Feed]:
    """Names and versions of what apps may read; never what is in them."""
    for place in scope.places:
        yield Feed(resource=CONFIG_MAP, namespace=place, metadata_only=True)
        if scope.secrets:
            yield Feed(resource=SECRET, namespace=place, metadata_only=True, fields=UNREAD_SECRETS)


def nodes(scope: Scope) -> Iterator[Feed]:
    if scope.nodes:
        yield Feed(resource=NODE, selector=f"{labels.RUNTIME}=ready", metadata_only=True)
