"""Who asked the API server for what: its audit log, read as it grows."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [{"level": "Metadata"}],
}
WRITES = {"create", "update", "patch", "delete", "deletecollection"}


@dataclass(frozen=True)
class Asked:
    """One request that was answered; of a watch, that it began. resource: with its subresource and group.

    starts_anew: a watch that sends everything first.
    """

    user: str
    agent: str
    verb: str
    resource: str
    namespace: str
    name: str
    status: int
    starts_anew: bool = False

    @property
    def writes(self) -> bool:
        return self.verb in WRITES


class AuditLog:
    """The file that kube-apiserver writes, in which a request may come a moment after its answer."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def mark(self) -> int:
        """Where the log is now; `since` tells what came later."""
        return self.path.stat().st_size if self.path.exists() else 0

    def since(self, mark: int, *, agent: str = "", user: str = "") -> list[Asked]:
        """agent, user: how they must begin."""
        with self.path.open("rb") as log:
            log.seek(mark)
            lines = log.read().split(b"\n")[:-1]
        asked = [each for line in lines for each in _parsed(json.loads(line))]
        return [each for each in asked if each.agent.startswith(agent) and each.user.startswith(user)]


def counts(asked: Iterable[Asked]) -> Counter[tuple[str, str, int]]:
    """By verb, resource and status."""
    return Counter((each.verb, each.resource, each.status) for each in asked)


def _parsed(entry: dict[str, object]) -> Iterator[Asked]:
    about, status, user = entry.get("objectRef"), entry.get("responseStatus"), entry.get("user")
    if not isinstance(about, dict) or not isinstance(status, dict) or not _counts(entry, int(status.get("code", 0))):
        return
    parts = (about.get("resource", ""), about.get("subresource", ""))
    group = f".{about['apiGroup']}" if about.get("apiGroup") else ""
    yield Asked(
        user=str(user["username"]) if isinstance(user, dict) else "",
        agent=str(entry.get("userAgent", "")),
        verb=str(entry["verb"]),
        resource="/".join(filter(None, (parts[0] + group, parts[1]))),
        namespace=str(about.get("namespace", "")),
        name=str(about.get("name", "")),
        status=int(status.get("code", 0)),
        starts_anew="sendInitialEvents=true" in str(entry.get("requestURI", "")),
    )


def _counts(entry: dict[str, object], code: int) -> bool:
    """A watch counts when it begins; anything else, and a watch that is refused, when it is answered."""
    return (entry["stage"] == "ResponseStarted") == (entry["verb"] == "watch" and code < 400)
