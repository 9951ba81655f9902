"""Random edits of WasmApps and of what was made of them: what users, and others than the operator, do all day."""

from __future__ import annotations

import random
from collections.abc import Callable

from tests.support.places import Place

NAMES = ("ant", "bee", "cat", "dog")
KINDS = ("Deployment", "Service", "Job", "CronJob", "DaemonSet")


class Edits:
    """The same seed gives the same edits of WasmApps; those of children depend on what is there."""

    def __init__(self, place: Place, seed: int) -> None:
        self._place = place
        self._random = random.Random(seed)
        self.specs: dict[str, dict[str, object]] = {}

    def one(self) -> None:
        """One more."""
        edit: Callable[[], None] = self._random.choice(
            [self._apply, self._apply, self._apply, self._delete, self._scale, self._drift, self._steal]
        )
        edit()

    def _apply(self) -> None:
        name = self._random.choice(NAMES)
        self.specs[name] = spec = self._spec()
        self._place.apply(name, **spec)

    def _spec(self) -> dict[str, object]:
        """Every field that decides about kinds is written, so that an apply leaves nothing of the last one."""
        run = self._random.choice(("http", "http", "command", "cron", "job", "everyNode"))
        tag = "v1" if run in ("http", "everyNode") else "v2"
        spec: dict[str, object] = {
            "artifact": f"{self._place.host}/demo/hello:{tag}",
            "run": "http" if run == "everyNode" else run,
            "env": [{"name": "NUMBER", "value": str(self._random.randrange(100))}],
            "limits": {"memory": self._random.choice(("64Mi", "128Mi", "1Gi"))},
        }
        if run == "cron":
            return spec | {"cron": {"schedule": self._random.choice(("@daily", "@hourly"))}}
        if run == "everyNode":
            return spec | {"scope": "everyNode"}
        return spec | ({"replicas": self._random.randrange(3)} if run != "job" else {})

    def _delete(self) -> None:
        name = self._random.choice(NAMES)
        self.specs.pop(name, None)
        self._place.kubectl("delete", "wasmapp", name, "--ignore-not-found", "--wait=false")

    def _scale(self) -> None:
        name, replicas = self._random.choice(NAMES), self._random.randrange(4)
        if self._place.find("WasmApp", name):
            self._place.kubectl("scale", f"wasmapp/{name}", f"--replicas={replicas}")
            self.specs[name] = self.specs[name] | {"replicas": replicas}

    def _drift(self) -> None:
        """Somebody edits a child."""
        name = self._random.choice(NAMES)
        if self._place.find("Deployment", name):
            patch = '{"spec":{"template":{"spec":{"containers":[{"name":"app","image":"example.com/other:1"}]}}}}'
            self._place.try_kubectl("patch", "deployment", name, "--patch", patch)

    def _steal(self) -> None:
        """Somebody removes a child; a finished or running Job is not made again by contract."""
        name, kind = self._random.choice(NAMES), self._random.choice(KINDS)
        if kind != "Job":
            self._place.try_kubectl("delete", kind, name, "--ignore-not-found", "--wait=false")
