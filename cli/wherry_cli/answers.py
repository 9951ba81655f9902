"""What the API server says when it does not do what was asked, as one sentence and its cure. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from wherry.errors import WherryError
from wherry.spec.wording import suggest

LISTED = 5
SHOWN = 300


def refusal(status: int, body: bytes) -> WherryError:
    """From an answer that is no success. body: a Status object (meta/v1), or what a proxy put in its place."""
    said = _status(body)
    message = str(said.get("message") or f"status {status}").strip()
    if status == 404 and not (said.get("details") or {}).get("name"):
        return WherryError(
            "the cluster knows no WasmApps", cure="install Wherry in it, or choose another cluster with --context"
        )
    cures = {
        401: "log in to the cluster again; `kubectl auth whoami` asks the same",
        403: "ask for a role that may do this, or choose another namespace with -n",
        409: "somebody else changed it just now: try again",
    }
    return WherryError(f"the API server refuses: {message}", cure=cures.get(status, ""))


def is_absent(status: int, body: bytes) -> bool:
    """Whether an answer says that one object does not exist, and not that the whole kind is unknown."""
    return status == 404 and bool((_status(body).get("details") or {}).get("name"))


def no_such_app(name: str, namespace: str, known: Sequence[str]) -> WherryError:
    """known: the apps that there are."""
    listed = f"there are {', '.join(sorted(known)[:LISTED])}" if known else ""
    cure = suggest(name, known) or listed or "name its namespace with -n"
    return WherryError(f"no WasmApp in namespace {namespace} is named {name}", cure=cure)


def unreachable(host: str, reason: str) -> WherryError:
    """No answer at all."""
    return WherryError(f"{host}: {reason}", cure="is this the cluster? `kubectl cluster-info` asks the same")


def _status(body: bytes) -> dict[str, Any]:
    try:
        said = json.loads(body)
    except ValueError:
        said = None
    return said if isinstance(said, dict) else {"message": body[:SHOWN].decode(errors="replace")}
