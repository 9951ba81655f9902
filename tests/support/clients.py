"""The operator's client against a server of a test: impatient, so that faults cost little time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from tests.support.apiserver import PATIENCE
from wherry.cluster.connection import Connection, connect
from wherry.cluster.credentials import KubeConfig
from wherry.cluster.informer import Pace
from wherry.cluster.patience import Patience
from wherry.cluster.telling import Reporter, Teller
from wherry_operator.cluster.feeds import Scope
from wherry_operator.cluster.observed import Observed
from wherry_operator.cluster.writing import Cluster
from wherry_operator.manifest import Manifest

T = TypeVar("T")
APP = "wherry.dev/app"
AGENT = "wherry-tester"
REPORTER = Reporter(controller="wherry.dev/tester", instance="tester-1", action="Test")
QUICK = Patience(attempt=1.0, budget=60.0, first=0.01, most=0.2)
BRISK = Pace(watch=1.0, grace=0.3, absent=0.2, patience=replace(QUICK, most=0.05))


@asynccontextmanager
async def cluster_of(kubeconfig: Path, patience: Patience = QUICK) -> AsyncIterator[tuple[Connection, Cluster]]:
    async with connect(KubeConfig(str(kubeconfig)), AGENT) as connection:
        teller = Teller(connection, REPORTER, patience=patience)
        yield connection, Cluster(connection, teller, patience)


@asynccontextmanager
async def observed_by(connection: Connection, scope: Scope, pace: Pace = BRISK) -> AsyncIterator[Observed]:
    """Kept true within the block."""
    observed = Observed(connection, scope, pace)
    task = asyncio.create_task(observed.run())
    try:
        yield observed
    finally:
        task.cancel()
        await asyncio.wait([task])


async def until(holds: Callable[[], T], within: float = PATIENCE) -> T:
    """The first true answer."""
    deadline = time.monotonic() + within
    while not (answer := holds()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {within:.0f} s")
        await asyncio.sleep(0.01)
    return answer


def deployment(namespace: str, name: str, **spec: Any) -> Manifest:
    """A small one of an app, with more of its spec."""
    labels = {APP: name}
    pod = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "app", "image": "registry.example/app"}]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"namespace": namespace, "name": name, "labels": labels},
        "spec": {"selector": {"matchLabels": labels}, "template": pod} | spec,
    }


def config_map(namespace: str, name: str, data: dict[str, str], app: str = "") -> Manifest:
    labels = {APP: app} if app else {}
    metadata = {"namespace": namespace, "name": name, "labels": labels}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def wasm_app(namespace: str, name: str, **spec: Any) -> Manifest:
    return {
        "apiVersion": "wherry.dev/v1alpha1",
        "kind": "WasmApp",
        "metadata": {"namespace": namespace, "name": name},
        "spec": {"artifact": "registry.example/app:v1"} | spec,
    }
