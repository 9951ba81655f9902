"""The pure parts of supplying: what an answer was found from, what a status shows, which layouts the kubelet pulls."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import artifacts
from tests.support.artifacts import COMPONENT, MODULE, TAR_GZIP, Built, built, image_config, tar, wasm_config
from wherry.errors import ArtifactError, LayoutNotRunnable, RegistryError
from wherry.oci.folder import FolderRepository
from wherry.oci.layouts import IMAGE_CONFIG, WASM_CONFIG, WASM_LAYER
from wherry.oci.manifest import parse_manifest
from wherry.oci.reference import parse
from wherry.oci.resolve import resolve
from wherry.wasm.binary import name, section, vec
from wherry_operator.conditions import REASONS
from wherry_operator.supply import binary, layout, verdicts
from wherry_operator.supply.demands import Demand
from wherry_operator.supply.inputs import inputs_of, same_place, same_trust
from wherry_operator.supply.look import Found, Question
from wherry_operator.supply.memory import MANY, Memory

DEMAND = Demand("spec.verify", (("Secret/a/b", b"pem"),), 1)
BASE = inputs_of("ghcr.io/acme/hello:v1", "", (DEMAND,))


def test_inputs_are_the_same_in_every_version_because_every_status_keeps_them() -> None:
    assert BASE == "d1523bbf10988d196d225e7d749ecfd4.2381e85a1b1ca9846c45b3b2705e1d80"


CHANGES = {
    "reference": (inputs_of("ghcr.io/acme/hello:v2", "", (DEMAND,)), False, True),
    "annotation": (inputs_of("ghcr.io/acme/hello:v1", "1", (DEMAND,)), False, True),
    "key": (inputs_of("ghcr.io/acme/hello:v1", "", (Demand("spec.verify", (("Secret/a/b", b"x"),), 1),)), True, False),
    "threshold": (inputs_of("ghcr.io/acme/hello:v1", "", (Demand("spec.verify", DEMAND.keys, 2),)), True, False),
    "another demand": (inputs_of("ghcr.io/acme/hello:v1", "", (DEMAND, DEMAND)), True, False),
    "no demand": (inputs_of("ghcr.io/acme/hello:v1", "", ()), True, False),
}


@pytest.mark.parametrize("change", CHANGES)
def test_every_input_counts(change: str) -> None:
    other, place, trust = CHANGES[change]
    assert other != BASE
    assert (same_place(BASE, other), same_trust(BASE, other)) == (place, trust)


def test_a_status_shows_few_names_and_those_that_decide() -> None:
    names = (*(f"export-{i}" for i in range(1000)), "_start", "wasi:http/incoming-handler@0.2.3", "x" * 4000)
    shown = binary.shown(names)
    assert len(shown) == binary.NAMES
    assert shown[-2:] == ("_start", "wasi:http/incoming-handler@0.2.3")
    assert shown[:2] == ("export-0", "export-1")


def test_a_world_is_said_of_the_names_that_are_shown(tmp_path: Path) -> None:
    export = f"wasi:http/incoming-handler@0.2.{'9' * 5000}"
    (tmp_path / "a.wasm").write_bytes(COMPONENT + section(11, vec([b"\0" + name(export) + b"\x05\0\0"])))
    found = binary.read(tmp_path / "a.wasm", "ghcr.io/x")
    assert (found.kind, found.world, found.exports) == ("component", "", ())


@pytest.mark.parametrize(
    ("data", "told"), [(b"", "an empty file"), (b"\x7fELF", "native"), (MODULE[:-1], "truncated"), (b"<html>", "HTML")]
)
def test_bytes_that_are_no_wasm_are_refused(data: bytes, told: str, tmp_path: Path) -> None:
    (tmp_path / "a.wasm").write_bytes(data)
    with pytest.raises(ArtifactError, match=f"ghcr.io/x: .*{told}"):
        binary.read(tmp_path / "a.wasm", "ghcr.io/x")


def other_diff_ids() -> Built:
    data = tar({"app.wasm": MODULE})
    config = image_config([data, data], {"Entrypoint": ["/app.wasm"]})
    return built("hybrid", (IMAGE_CONFIG, config), [(TAR_GZIP, gzip.compress(data, mtime=0)), (WASM_LAYER, MODULE)])


def runwasi_with_diff_ids() -> Built:
    config = image_config([MODULE], architecture="wasm", os="wasip1")
    layers = [("application/vnd.bytecodealliance.wasm.component.layer.v0+wasm", MODULE)]
    return built("runwasi", (IMAGE_CONFIG, config), layers)


def cncf_without_its_layer() -> Built:
    return built("cncf", (WASM_CONFIG, wasm_config(MODULE, layerDigests=[])), [(WASM_LAYER, MODULE)])


NOT_IN_A_CLUSTER: list[tuple[Callable[[], Built], str]] = [
    (artifacts.cncf_artifact_type, "its config does not tell it from other artifacts"),
    (artifacts.wasm_to_oci, "its config does not tell it from other artifacts"),
    (artifacts.solo, "its config does not tell it from other artifacts"),
    (artifacts.wasmcloud, "its config does not tell it from other artifacts"),
    (cncf_without_its_layer, "its config has no layerDigests"),
    (other_diff_ids, "2 diff_ids for 1 tar layers"),
    (runwasi_with_diff_ids, "1 diff_ids for 0 tar layers"),
]


@pytest.mark.parametrize(("make", "told"), NOT_IN_A_CLUSTER, ids=lambda each: getattr(each, "__name__", ""))
def test_a_layout_that_only_runs_locally_is_refused_with_its_cure(
    make: Callable[[], Built], told: str, tmp_path: Path
) -> None:
    repository = FolderRepository(tmp_path, create=True)
    make().put(repository)
    resolved = resolve(repository, "v1")
    with pytest.raises(LayoutNotRunnable, match=told) as caught:
        layout.check(resolved, parse_manifest(repository.manifest(resolved.digest), "here"))
    assert caught.value.cure == "`wherry pull` it and `wherry push` the file"


@pytest.mark.parametrize(
    "kind", ["auth", "denied", "notfound", "ratelimited", "digest", "toobig", "tls", "policy", "?"]
)
def test_every_fault_of_a_registry_has_a_reason_that_is_documented(kind: str) -> None:
    verdict = verdicts.unresolved(RegistryError("x" * 5000, kind=kind), kept=True)
    assert verdict.reason in REASONS["Resolved"]
    assert len(verdict.message) <= 1024


def test_the_memory_forgets_what_is_oldest() -> None:
    memory = Memory()
    found = Found("sha256:a", "", "sha256:b", "", binary.Binary("module", "", (), (), 1), ())
    questions = [Question(parse(f"ghcr.io/acme/hello:v{i}"), (), ()) for i in range(MANY + 1)]
    for question in questions:
        memory.keep(question, found)
    assert memory.recall(questions[0]) is None
    assert memory.recall(questions[1]) == memory.recall(questions[-1]) == found
