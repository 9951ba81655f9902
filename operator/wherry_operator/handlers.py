"""The only importer of kopf: it watches WasmApps and tells of them. It stores nothing in them and sets no finalizer.

Everything else that an app depends on is watched by `cluster`, with selectors that kopf does not send to the server.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any, cast

import kopf

from wherry.cluster.connection import WayIn
from wherry.spec.model import GROUP, VERSION
from wherry_operator.manifest import Manifest

PLURAL = "wasmapps"


Told = Callable[[str | None, Manifest], None]
"""Called with ADDED, MODIFIED, DELETED, or None for what was there at the start, and the WasmApp."""


def registered(told: Told, way_in: Callable[[], Awaitable[WayIn]]) -> kopf.OperatorRegistry:
    """kopf's handlers."""
    registry = kopf.OperatorRegistry()

    @kopf.on.event(GROUP, VERSION, PLURAL, registry=registry)
    async def wasmapp(type: str | None, body: Mapping[str, Any], **_: object) -> None:
        told(type, dict(body))

    @kopf.on.login(registry=registry)
    async def login(**_: object) -> kopf.ConnectionInfo:
        known = await way_in()
        return kopf.ConnectionInfo(
            server=known.server,
            ca_path=known.ca_file or None,
            scheme="Bearer" if known.token else None,
            token=known.token or None,
            certificate_path=known.certificate or None,
            private_key_path=known.key or None,
        )

    return registry


def settings() -> kopf.OperatorSettings:
    """kopf, reduced to watching: no Events of its own, no discovery of what else there is."""
    chosen = kopf.OperatorSettings()
    chosen.posting.enabled = False
    chosen.scanning.disabled = True
    chosen.watching.server_timeout = 300
    chosen.watching.client_timeout = 330
    chosen.queueing.idle_timeout = 0.5
    chosen.persistence.diffbase_storage = _NoDifferences()
    return chosen


class _NoDifferences(kopf.DiffBaseStorage):
    """No handler is told what changed: to find that out, kopf would copy each object several times."""

    def build(self, **_: object) -> kopf.BodyEssence:
        return cast(kopf.BodyEssence, {})

    def fetch(self, **_: object) -> None:
        return None

    def store(self, **_: object) -> None:
        pass


async def watch(told: Told, way_in: Callable[[], Awaitable[WayIn]], namespaces: Collection[str]) -> None:
    """Until SIGTERM or SIGINT. namespaces: empty for the whole cluster."""
    await kopf.operator(
        registry=registered(told, way_in),
        settings=settings(),
        standalone=True,
        # For peers, of which there are none; else kopf asks for the name of a user, which an image need not know.
        identity="wherry-operator",  # type: ignore[arg-type]  # a NewType that it keeps to itself
        clusterwide=not namespaces,
        namespaces=list(namespaces),
    )
