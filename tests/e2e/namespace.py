"""A namespace of one story: what is applied there, what comes of it, and what is said when it does not come."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from tests.cli.process import WHERRY
from tests.e2e.cluster import SYSTEM, Cluster, Manifest, run

T = TypeVar("T")
WITHIN = 90.0
"""Seconds for something that takes a few on a quiet machine."""
APP = "wherry.dev/app"


@dataclass(frozen=True)
class Namespace:
    cluster: Cluster
    name: str

    def push(self, wasm: Path, tag: str = "v1", *options: str) -> str:
        """Make an artifact of a file; its reference, in a repository of this namespace."""
        reference = f"{self.cluster.registry}/{self.name}/{wasm.stem}:{tag}"
        run(WHERRY, "push", *options, wasm, reference)
        return reference

    def apply(self, *manifests: Manifest) -> None:
        """JSON is YAML."""
        listed = {"apiVersion": "v1", "kind": "List", "items": list(manifests)}
        self.cluster.kubectl("apply", "--namespace", self.name, "--filename", "-", stdin=json.dumps(listed))

    def app(self, name: str, **spec: Any) -> None:
        """Apply a WasmApp with this spec."""
        self.apply({"apiVersion": "wherry.dev/v1alpha1", "kind": "WasmApp", "metadata": {"name": name}, "spec": spec})

    def patch(self, name: str, **spec: Any) -> None:
        """Change fields of a WasmApp's spec."""
        change = json.dumps({"spec": spec})
        self.cluster.kubectl("patch", "wasmapp", name, "-n", self.name, "--type", "merge", "--patch", change)

    def delete(self, kind: str, name: str) -> None:
        self.cluster.kubectl("delete", kind, name, "--namespace", self.name, "--wait")

    def get(self, kind: str, name: str) -> Manifest:
        """{} when it is not there."""
        return self.cluster.get(kind, name, self.name)

    def listed(self, kind: str, selector: str) -> list[Manifest]:
        found: list[Manifest] = self.cluster.get(kind, namespace=self.name, selector=selector).get("items", [])
        return found

    def pods(self, app: str) -> list[Manifest]:
        """Pods of a WasmApp that are not on their way out."""
        found = self.listed("pods", f"{APP}={app}")
        return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]

    def condition(self, app: str, kind: str) -> tuple[str, str]:
        """(status, reason) of a WasmApp's condition that is about its present spec; ("", "") before there is one."""
        found = self.get("wasmapp", app)
        for each in found.get("status", {}).get("conditions", ()):
            if each["type"] == kind and each["observedGeneration"] == found["metadata"]["generation"]:
                return each["status"], each["reason"]
        return "", ""

    def is_ready(self, app: str) -> bool:
        return self.condition(app, "Ready")[0] == "True"

    def describe(self, app: str) -> str:
        """What a person reads who asks what is wrong."""
        return self.cluster.kubectl("describe", "wasmapp", app, "--namespace", self.name)

    def logs(self, app: str) -> str:
        """So far; "" while a Pod's container has not begun, for which kubectl fails."""
        which = ("--namespace", self.name, "--selector", f"{APP}={app}", "--tail", "-1")
        return self.cluster.kubectl("logs", *which, check=False)

    def ready(self, app: str, within: float = WITHIN) -> None:
        self.eventually(f"{app} is Ready", lambda: self.is_ready(app), within)

    def eventually(self, what: str, holds: Callable[[], T], within: float = WITHIN) -> T:
        """The first true answer. Raises AssertionError with everything that is known of this namespace."""
        deadline = time.monotonic() + within
        while not (answer := holds()):
            if time.monotonic() > deadline:
                raise AssertionError(f"{what}: not within {within:.0f} s\n{self.report()}")
            time.sleep(0.3)
        return answer

    def report(self) -> str:
        """Objects, Events and logs."""
        here = ("--namespace", self.name)
        questions = (
            ("get", "all,wasmapps", *here, "--output", "wide"),
            ("describe", "wasmapps", *here),
            ("describe", "pods", *here),
            ("get", "events", *here, "--sort-by", ".lastTimestamp"),
            ("logs", *here, "--selector", APP, "--prefix", "--all-containers", "--tail", "40"),
            ("logs", "--namespace", SYSTEM, "--selector", "app.kubernetes.io/name=wherry", "--prefix", "--tail", "30"),
        )
        return "\n".join(
            f"--- kubectl {' '.join(each)}\n{self.cluster.kubectl(*each, check=False)}" for each in questions
        )
