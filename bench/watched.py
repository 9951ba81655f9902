"""What the operator remembers of one object: bytes and time, of objects that a real control plane made of an app.

Beside it the same objects as Python has them after parsing, which is what a cache costs that does nothing about it.
"""

from __future__ import annotations

import gc
import json
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, get_args

import yaml

from bench.measure import Row, alone, compared
from tests.render.cases import ARTIFACT
from tests.support.apiserver import until
from tests.support.control_plane import ENABLE, ControlPlane, control_plane, programs
from tests.support.fake_node import fake_node
from wherry.cluster.request import MERGE_PATCH
from wherry.spec.parse import read
from wherry.spec.status import ArtifactStatus, Condition, ConditionType, Revision, Status
from wherry_operator.cluster.objects import Objects
from wherry_operator.desired.context import Context
from wherry_operator.desired.render import render
from wherry_operator.manifest import Identity, Key
from wherry_operator.status.written import document

TITLE = "what the operator remembers of one object"
PEER = "parsed JSON"
OBJECTS = 3000
ROUNDS = 6
APP = Path(__file__).parents[1] / "examples" / "01-hello" / "app.yaml"
Manifest = dict[str, Any]


def measure(quick: bool) -> list[Row]:
    number = 300 if quick else OBJECTS
    return [row for kind, sample in _samples().items() for row in of_kind(kind, sample, number)]


def of_kind(kind: str, sample: Manifest, number: int) -> list[Row]:
    """Its bytes, and microseconds to remember one that changed and to read one."""
    first, *later = (
        [json.dumps(_another(sample, each, version)) for each in range(number)] for version in range(ROUNDS)
    )
    objects = Objects(lambda _: None, lambda manifest: Key("default", manifest["metadata"]["name"]))
    ours = _grown(lambda: remember(objects, first))
    theirs = _grown(lambda: [json.loads(text) for text in first])
    put = [_seconds(lambda texts=texts: remember(objects, texts)) for texts in later]  # type: ignore[misc]
    read = [_seconds(lambda: [objects.of(key) for key in objects.apps()]) for _ in later]
    return [
        compared(f"{kind}: memory", "B", PEER, [ours / number], [theirs / number]),
        alone(f"{kind}: to parse and remember one", "µs", [1e6 * each / number for each in put]),
        alone(f"{kind}: to read one", "µs", [1e6 * each / number for each in read]),
    ]


def remember(objects: Objects, texts: list[str]) -> list[Any]:
    """As a watch does with its lines. Nothing else is kept."""
    for text in texts:
        objects.put(json.loads(text))
    return []


def _grown(fill: Callable[[], list[Any]]) -> int:
    """Bytes that are kept afterwards."""
    gc.collect()
    tracemalloc.start()
    kept = fill()
    gc.collect()
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    kept.clear()
    return size


def _seconds(work: Callable[[], list[Any]]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _another(sample: Manifest, number: int, version: int) -> Manifest:
    """Of another app: its own names, uids, versions and digests."""
    text = json.dumps(sample)
    for old in sorted({sample["metadata"]["uid"], ARTIFACT.digest[7:], ARTIFACT.wasm[7:]}):
        text = text.replace(old, f"{number:x}-{old}"[: len(old)])
    text = text.replace("hello", f"app-{number}")
    made: Manifest = json.loads(text)
    made["metadata"] |= {"name": f"app-{number}", "resourceVersion": str(version)}
    return made


def _samples() -> dict[str, Manifest]:
    """One of each kind, as the API server has it when the app runs."""
    if (folder := programs()) is None:
        raise SystemExit(f"no Kubernetes programs: {ENABLE}")
    with tempfile.TemporaryDirectory() as place, control_plane(Path(place), folder) as plane, fake_node(plane.server):
        return {manifest["kind"]: manifest for manifest in _made(plane)}


def _made(plane: ControlPlane) -> Iterator[Manifest]:
    path = "/apis/wherry.dev/v1alpha1/namespaces/default/wasmapps"
    body = plane.create(path, yaml.safe_load(APP.read_text()))
    app = read(body, str(APP))
    artifact = replace(ARTIFACT, reference=app.spec.artifact)
    yield plane.server.ask("PATCH", f"{path}/hello/status", {"status": _status(artifact)}, MERGE_PATCH).body
    for each in render(app, artifact, Context(owner=body["metadata"]["uid"])):
        plane.server.kubectl("apply", "--server-side", "--filename=-", "--namespace=default", stdin=json.dumps(each))
        yield until(partial(_settled, plane, Identity.of(each)))
    pods = "/api/v1/namespaces/default/pods"
    (pod,) = plane.server.ask("GET", pods).body["items"]
    yield pod | {"apiVersion": "v1", "kind": "Pod"}


def _status(artifact: ArtifactStatus) -> Manifest:
    """Of about the size that one has."""
    now, types = "2026-01-31T12:00:00Z", get_args(ConditionType)
    told = tuple(
        Condition(type=each, status="True", reason=each, message="m" * 60, last_transition_time=now) for each in types
    )
    ran = Revision(digest=artifact.digest, reference=artifact.reference, since=now)
    return document(Status(observed_generation=1, artifact=artifact, revisions=(ran,), conditions=told))


def _settled(plane: ControlPlane, identity: Identity) -> Manifest:
    """Once it is available, if it is of a kind that may be; nothing before."""
    got = plane.server.kubectl("get", identity.kind, identity.name, "--namespace=default", "--output=json")
    found: Manifest = json.loads(got.stdout or "{}")
    if identity.kind == "Deployment" and not found.get("status", {}).get("availableReplicas"):
        return {}
    return found
