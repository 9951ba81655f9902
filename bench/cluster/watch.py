"""What the API server says of objects of one kind, with the time at which it was heard."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from tests.e2e.cluster import Manifest, environment
from tests.e2e.namespace import Namespace

PATIENCE = 300.0
"""Seconds."""
Holds: TypeAlias = Callable[[Manifest], bool]


@dataclass(frozen=True)
class Seen:
    """at: seconds since 1970."""

    at: float
    object: Manifest


class Watch:
    """Runs from its making to `close`. path: of the API, `api/v1` or `apis/<group>/<version>`."""

    def __init__(self, namespace: Namespace, path: str, kind: str) -> None:
        self.kind = kind
        url = f"/{path}/namespaces/{namespace.name}/{kind}?watch=true"
        command = ("kubectl", "--context", namespace.cluster.context, "get", "--raw", url)
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment())
        self._seen: list[Seen] = []
        self._news = threading.Condition()
        threading.Thread(target=self._listen, daemon=True).start()

    def first(self, what: str, holds: Holds) -> Seen:
        """The first that holds, of all that was heard and will be. Raises TimeoutError."""
        known = 0
        while news := self._after(known):
            if found := next((each for each in news if holds(each.object)), None):
                return found
            known += len(news)
        raise TimeoutError(f"{self.kind}: {what}: nothing new within {PATIENCE:.0f} s")

    def last(self, name: str) -> Manifest:
        """As it was heard of last."""
        with self._news:
            return next(each.object for each in reversed(self._seen) if each.object["metadata"]["name"] == name)

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()

    def _after(self, known: int) -> list[Seen]:
        """What was heard after so many, for which it waits; nothing where nothing comes."""
        with self._news:
            self._news.wait_for(lambda: len(self._seen) > known, PATIENCE)
            return self._seen[known:]

    def _listen(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            seen = Seen(time.time(), json.loads(line)["object"])
            with self._news:
                self._seen.append(seen)
                self._news.notify_all()


def named(name: str, holds: Holds = lambda _: True) -> Holds:
    return lambda found: found["metadata"]["name"] == name and holds(found)


def pod_of(app: str, holds: Holds = lambda _: True) -> Holds:
    return lambda found: found["metadata"]["name"].startswith(f"{app}-") and holds(found)


def is_ready(pod: Manifest) -> bool:
    conditions = pod["status"].get("conditions", ())
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def is_ready_on(node: str) -> Holds:
    return lambda pod: pod["spec"].get("nodeName") == node and is_ready(pod)


def is_rolled_out(workload: Manifest) -> bool:
    """A Deployment all of whose Pods are new and ready, as `kubectl rollout status` sees it."""
    status, wanted = workload.get("status", {}), workload["spec"]["replicas"]
    counts = {status.get(name, 0) for name in ("replicas", "updatedReplicas", "availableReplicas")}
    return bool(status.get("observedGeneration", 0) >= workload["metadata"]["generation"] and counts == {wanted})
