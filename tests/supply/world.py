"""An operator's surroundings: objects of a cluster as data, a clock that a test turns, and what was published."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from tests.support.artifacts import Built, cncf
from tests.support.registry import Registry
from wherry.oci.access import opened
from wherry.oci.reference import parse
from wherry.oci.registries import Entry
from wherry.oci.signature import PrivateKey, sign
from wherry.oci.transport.patience import Patience
from wherry.spec.model import API_VERSION, KIND, WasmApp
from wherry.spec.parse import read
from wherry.spec.status import Status
from wherry_operator.manifest import Manifest
from wherry_operator.supply.look import Place
from wherry_operator.supply.policy import Policy
from wherry_operator.supply.secrets import Kind
from wherry_operator.supply.supplied import Supplied
from wherry_operator.supply.supplier import Outside, Supplier

T = TypeVar("T")
NAMESPACE = "shop"
START = 1_800_000_000.0
QUICK = Patience(connect=4, idle=2, small=5, blob=5, attempts=2, longest_wait=0.1, whole=8)


@dataclass
class Objects:
    """Secrets, ConfigMaps and service accounts of the namespace. asked: what was read."""

    data: dict[tuple[Kind, str], Mapping[str, bytes]] = field(default_factory=dict)
    accounts: dict[str, tuple[str, ...]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def get(self, kind: Kind, namespace: str, name: str) -> Mapping[str, bytes] | None:
        self.asked.append(name)
        return self.data.get((kind, name)) if namespace == NAMESPACE else None

    async def pull_secrets(self, namespace: str, service_account: str) -> tuple[str, ...]:
        return self.accounts.get(service_account, ())


@dataclass
class World:
    """now: what the clock shows. jitter: what the dice show. counted: where answers were."""

    folder: Path
    objects: Objects = field(default_factory=Objects)
    registries: dict[str, Entry] = field(default_factory=dict)
    now: float = START
    jitter: float = 0.0
    policy: Policy = ()
    patience: Patience = QUICK
    limit: int = 1 << 20
    counted: list[str] = field(default_factory=list)

    def knows(self, server: Registry) -> str:
        """The registries file has the server; its host."""
        self.registries[server.host] = server.entry or Entry(plain_http=True)
        return server.host

    def supplier(self) -> Supplier:
        """A freshly started operator's."""
        place = Place(self.folder, self.registries, self.patience, self.limit)
        return Supplier(
            place, self.objects, outside=Outside(lambda: self.now, lambda: self.jitter, self.counted.append)
        )

    def supply(self, app: WasmApp, reference: str = "") -> Supplied:
        """One look of a freshly started operator."""
        return run(self.supplier().supply(app, self.policy, reference))


def run(work: Awaitable[T]) -> T:
    """In a loop of its own."""

    async def awaited() -> T:
        return await work

    return asyncio.run(awaited())


def app(artifact: str, name: str = "hello", annotations: Mapping[str, str] | None = None, **spec: Any) -> WasmApp:
    """A WasmApp that was never looked at."""
    metadata: Manifest = {"name": name, "namespace": NAMESPACE, "annotations": dict(annotations or {})}
    document = {"apiVersion": API_VERSION, "kind": KIND, "metadata": metadata}
    return read({**document, "spec": {"artifact": artifact, **spec}}, name)


def after(given: WasmApp, supplied: Supplied) -> WasmApp:
    """The app with what was supplied in its status, as the next pass finds it."""
    return replace(given, status=Status(artifact=supplied.artifact))


def publish(server: Registry, cache: Path, reference: str, built: Built | None = None, *signers: PrivateKey) -> str:
    """Push an artifact and sign it; its digest."""
    target = parse(reference)
    with opened(target, server.access(cache)) as repository:
        digest = (built or cncf()).put(repository, target.tag)
        for key in signers:
            sign(repository, digest, key)
    return digest


def verdicts(supplied: Supplied) -> tuple[tuple[str, str], tuple[str, str]]:
    """Status and reason of Resolved and Verified."""
    resolved, verified = supplied.resolved, supplied.verified
    return (resolved.status, resolved.reason), (verified.status, verified.reason)
