"""The Service in front of an http app."""

from __future__ import annotations

from typing import Any

from wherry_operator import labels
from wherry_operator.desired.container import PORT
from wherry_operator.desired.given import Given


def service(given: Given) -> dict[str, Any]:
    """spec of a Service."""
    asked = given.spec.service
    port = {"name": PORT, "port": asked.port, "targetPort": PORT, "protocol": "TCP", "appProtocol": "http"}
    return {"type": asked.type, "selector": labels.selector(given.name), "ports": [port]}
