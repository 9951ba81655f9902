"""The operator with many apps, on a real control plane: what reconciling, editing and restarting cost.

The controllers of Kubernetes work beside it on the same cores, as they do in a cluster; CPU time is the operator's own.
"""

from __future__ import annotations

import json
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.measure import Row, alone
from examples.toolchain.run import tell
from tests.support.apiserver import until
from tests.support.control_plane import ENABLE, ControlPlane, control_plane, programs
from tests.support.operators import Operator, operator, registries_of
from tests.support.registry import Registry, registry
from tests.support.usage import cpu_seconds, resident
from wherry.oci.push import push

TITLE = "the operator with many apps"
SIZES = (100, 1000, 3000)
EDITED = 1000
"""With so many apps at rest edits and a restart are measured."""
NAMESPACES = 10
QUIET = 3.0
"""Seconds without a pass after which the operator is at rest."""
LONGEST = 900.0
"""Seconds for anything."""
WASM = Path(__file__).parents[1] / "examples" / "01-hello" / "hello.wasm"


def measure(quick: bool) -> list[Row]:
    return [row for size in ((50,) if quick else SIZES) for row in of_size(size, quick or size == EDITED)]


def of_size(size: int, whole: bool) -> list[Row]:
    """whole: with edits and a restart."""
    tell(f"{size} apps on a new control plane")
    with bench() as found:
        rows = found.applied(size)
        if whole:
            rows += [*found.edits(size, 100), *found.restart(size)]
        return rows


@dataclass(frozen=True)
class Bench:
    plane: ControlPlane
    registry: Registry
    operator: Operator
    namespaces: tuple[str, ...]

    def applied(self, size: int) -> list[Row]:
        """From the first of so many creates to the last child."""
        before, start = self.spent(), time.perf_counter()
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(self._create, range(size)))
        until(lambda: self.count("/apis/apps/v1/deployments") == size, LONGEST)
        wall = time.perf_counter() - start
        until(self.is_steady, LONGEST)
        after = self.spent()
        used = {name: after[name] - before[name] for name in after}
        return [
            alone(f"{size} apps: wall to reconcile all", "s", [wall]),
            alone(f"{size} apps: CPU of one", "ms", [1000 * used["CPU"] / size]),
            alone(f"{size} apps: API requests of one", "requests", [used["requests"] / size]),
            alone(f"{size} apps: writes of one", "writes", [used["writes"] / size]),
            alone(f"{size} apps: resident memory", "MiB", [resident(self.operator.process.pid) / 2**20]),
        ]

    def edits(self, size: int, number: int) -> list[Row]:
        """From a patched WasmApp to the Deployment that shows it, one after another."""
        chosen = random.Random(1).sample(range(size), min(size, number))
        taken = [1000 * self._edit(index, f"value-{order}") for order, index in enumerate(chosen)]
        within = f"edit to applied child, {size} apps at rest"
        return [
            alone(f"{within}: p50", "ms", [statistics.median(taken)]),
            alone(f"{within}: p99", "ms", [statistics.quantiles(taken, n=100)[98]]),
        ]

    def restart(self, size: int) -> list[Row]:
        """From a new process to one that leads, has looked at every app and waits."""
        until(self.is_steady, LONGEST)  # what was edited last is told within a second
        mark, asked = self.plane.audit.mark(), len(self.registry.lines)
        self.operator.stop()
        start = time.perf_counter()
        self.operator.restart()
        until(lambda: self.operator.metric("wherry_operator_passes_total") >= size and self.is_steady(), LONGEST)
        steady = time.perf_counter() - start - QUIET
        theirs = [each for each in self.plane.audit.since(mark, agent="wherry-operator/") if each.writes]
        ours = [each for each in theirs if "leases" not in each.resource]
        return [
            alone(f"restart with {size} apps: until steady", "s", [steady]),
            alone(f"restart with {size} apps: CPU", "s", [cpu_seconds(self.operator.process.pid)]),
            alone(f"restart with {size} apps: writes", "writes", [float(len(ours))]),
            alone(
                f"restart with {size} apps: registry requests", "requests", [float(len(self.registry.lines) - asked)]
            ),
        ]

    def is_steady(self) -> bool:
        """Nothing waits, and nothing was done for longer than a status may wait to be written."""
        passes = self.operator.metric("wherry_operator_passes_total")
        if not passes or self.operator.metric("wherry_operator_queue"):
            return False
        time.sleep(QUIET)
        return self.operator.metric("wherry_operator_passes_total") == passes

    def spent(self) -> dict[str, float]:
        requests = self.operator.metric("wherry_operator_api_requests_total")
        writes = sum(
            self.operator.metric("wherry_operator_api_requests_total", verb=verb)
            for verb in ("create", "patch", "delete")
        )
        return {"CPU": cpu_seconds(self.operator.process.pid), "requests": requests, "writes": writes}

    def count(self, path: str) -> int:
        """Objects, without reading them."""
        found = self.plane.server.ask("GET", f"{path}?limit=1").body
        return len(found["items"]) + int(found["metadata"].get("remainingItemCount", 0))

    def _place(self, index: int) -> tuple[str, str]:
        return self.namespaces[index % len(self.namespaces)], f"app-{index}"

    def _create(self, index: int) -> None:
        namespace, name = self._place(index)
        spec = {
            "artifact": f"{self.registry.host}/demo/hello:v1",
            "run": "http",
            "env": [{"name": "NUMBER", "value": str(index)}],
        }
        body = {"apiVersion": "wherry.dev/v1alpha1", "kind": "WasmApp", "metadata": {"name": name}, "spec": spec}
        self.plane.create(f"/apis/wherry.dev/v1alpha1/namespaces/{namespace}/wasmapps", body)

    def _edit(self, index: int, value: str) -> float:
        namespace, name = self._place(index)
        app = f"/apis/wherry.dev/v1alpha1/namespaces/{namespace}/wasmapps/{name}"
        child = f"/apis/apps/v1/namespaces/{namespace}/deployments/{name}"
        found: dict[str, Any] = self.plane.server.ask("GET", app).body
        found["spec"]["env"] = [{"name": "NUMBER", "value": value}]
        start = time.perf_counter()
        assert self.plane.server.ask("PUT", app, found).status == 200
        while value not in json.dumps(self.plane.server.ask("GET", child).body["spec"]):
            time.sleep(0.002)
        return time.perf_counter() - start


@contextmanager
def bench() -> Iterator[Bench]:
    folder = programs()
    if folder is None:
        raise SystemExit(f"no Kubernetes programs: {ENABLE}")
    with ExitStack() as stack:
        at = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for name in ("plane", "registry"):
            (at / name).mkdir()
        plane = stack.enter_context(control_plane(at / "plane", folder))
        server = stack.enter_context(registry(at / "registry"))
        push(WASM, f"{server.host}/demo/hello:v1", server.access(at / "cache"))
        places = tuple(plane.new_namespace() for _ in range(NAMESPACES))
        settings = {"namespaces": "", "log_level": "info", "leader_election": "true"}
        settings["registries"] = str(registries_of(server, at))
        running = stack.enter_context(operator(at, plane.kubeconfig(), places[0], **settings))
        running.wait_until_it_leads()
        yield Bench(plane, server, running, places)
