"""What supplying needs of the API server. Whoever calls gives it, and may answer from what it has watched."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol

Kind = Literal["Secret", "ConfigMap"]


class Secrets(Protocol):
    """Objects by name."""

    async def get(self, kind: Kind, namespace: str, name: str) -> Mapping[str, bytes] | None:
        """The data of an object, decoded; None when it is not there."""

    async def pull_secrets(self, namespace: str, service_account: str) -> tuple[str, ...]:
        """Names in a service account's imagePullSecrets; empty when there is no such account."""
