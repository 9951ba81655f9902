"""When containerd did what, by its own log: a line when the kubelet asks for a thing, and one when it is done."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from tests.e2e.cluster import Cluster

_LINE = re.compile(r'^time="(?P<at>[^"]+)" level=info msg="(?P<said>.*)"')
_UID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ID = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Start:
    """Of one Pod, in seconds since 1970: the kubelet asks for the sandbox, has it, and its container runs."""

    asked: float
    made: float
    running: float


def start(cluster: Cluster, node: str, uid: str, since: float) -> Start:
    """uid: of the Pod. since: seconds since 1970. Raises KeyError when the log does not tell of it."""
    return starts(journal(cluster, node, since))[uid]


def journal(cluster: Cluster, node: str, since: float) -> str:
    """What containerd has logged on a node."""
    which = ("--unit", "containerd", "--since", f"@{int(since)}")
    return cluster.on_node(node, "journalctl", "--quiet", "--no-pager", "--output", "cat", *which)


def starts(log: str) -> dict[str, Start]:
    """By the uid of the Pod. A Pod of several containers runs with its last."""
    asked: dict[str, float] = {}
    made: dict[str, tuple[str, float]] = {}
    running: dict[str, float] = {}
    for at, said in _lines(log):
        ids = _ID.findall(said)
        if said.startswith("RunPodSandbox for"):
            (uid,) = _UID.findall(said)[:1]
            if " returns sandbox id " in said:
                made[ids[-1]] = uid, at
            else:
                asked[uid] = at
        elif said.startswith("CreateContainer within") and " returns container id " in said:
            made[ids[1]] = made.get(ids[0], ("", at))
        elif said.startswith("StartContainer for") and said.endswith(" returns successfully") and ids[0] in made:
            running[ids[0]] = at
    return {uid: Start(asked[uid], at, running[id]) for id, (uid, at) in made.items() if id in running and uid in asked}


def _lines(log: str) -> Iterator[tuple[float, str]]:
    """Seconds since 1970, and what is said; nanoseconds are more than a float has."""
    for line in log.splitlines():
        if found := _LINE.match(line):
            yield datetime.fromisoformat(re.sub(r"(\.\d{6})\d*", r"\1", found["at"])).timestamp(), found["said"]
