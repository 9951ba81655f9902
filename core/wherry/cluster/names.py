"""Names in the cluster on which the operator and the node's agent agree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

APP = "wherry.dev/app"
"""Label with the WasmApp's name: the whole of every selector."""
RUNTIME = "wherry.dev/runtime"
"""Label of nodes that can run Wasm; its value is `ready`."""
TRAPPED = "GuestTrapped"
"""Reason of the Events in which the node's agent tells of a trap."""

Manifest = Mapping[str, Any]
"""An object as JSON has it. Never changed in place: who changes one makes a new one."""
