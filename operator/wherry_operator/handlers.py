"""The only importer of kopf: it watches WasmApps and tells of them. It stores nothing in them and sets no finalizer.

Everything else that an app depends on is watched by `cluster`, with selectors that kopf does not send to the server.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from typing import Any, Protocol

import kopf

from wherry.spec.model import GROUP, VERSION
from wherry_operator.manifest import Manifest

PLURAL = "wasmapps"


class Access(Protocol):
    """How the API server is reached, as `cluster.connection` knows it."""

    @property
    def server(self) -> str: ...
    @property
    def ca_file(self) -> str | None: ...
    @property
    def certificate(self) -> tuple[str, str] | None: ...
    @property
    def token(self) -> str | None: ...


Told = Callable[[str | None, Manifest], None]
"""Called with ADDED, MODIFIED, DELETED, or None for what was there at the start, and the WasmApp."""


def registered(told: Told, access: Access) -> kopf.OperatorRegistry:
    """kopf's handlers."""
    registry = kopf.OperatorRegistry()

    @kopf.on.event(GROUP, VERSION, PLURAL, registry=registry)
    def wasmapp(type: str | None, body: Mapping[str, Any], **_: object) -> None:
        told(type, dict(body))

    @kopf.on.login(registry=registry)
    def login(**_: object) -> kopf.ConnectionInfo:
        certificate, key = access.certificate or (None, None)
        return kopf.ConnectionInfo(
            server=access.server,
            ca_path=access.ca_file,
            scheme="Bearer" if access.token else None,
            token=access.token,
            certificate_path=certificate,
            private_key_path=key,
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
    return chosen


async def watch(told: Told, access: Access, namespaces: Collection[str], stop: asyncio.Event) -> None:
    """Until `stop`. namespaces: empty for the whole cluster."""
    await kopf.operator(
        registry=registered(told, access),
        settings=settings(),
        standalone=True,
        clusterwide=not namespaces,
        namespaces=list(namespaces),
        stop_flag=stop,
    )
