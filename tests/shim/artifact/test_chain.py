"""Which bytes a container runs: those of its image, whatever the annotation says and whatever lies on the node."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support import artifacts
from tests.support.artifacts import COMPONENT, MODULE, Built
from tests.support.content_store import REPOSITORY, Pulled
from wherry.errors import StartError
from wherry.oci.descriptor import Platform
from wherry.oci.digest import digest_of
from wherry.oci.layouts import IMAGE_CONFIG, WASM_CONFIG, WASM_LAYER
from wherry.plan.annotation import PREFIX
from wherry.plan.model import WasmFile
from wherry.wasm.binary import CUSTOM, name, section
from wherry_shim.artifact.chain import Located, is_wasm_image, located, planned

WASM = digest_of(MODULE)
OTHERS = b"\0asm\1\0\0\0" + bytes(8)
LINUX = Platform("linux", "amd64" if os.uname().machine == "x86_64" else "arm64")
LAYERS = [
    artifacts.cncf(),
    artifacts.cncf_artifact_type(),
    artifacts.wasm_to_oci(),
    artifacts.solo(),
    artifacts.wasmcloud(),
    artifacts.runwasi(),
    artifacts.hybrid(),
]


@pytest.fixture
def pulled(tmp_path: Path) -> Pulled:
    return Pulled(tmp_path)


def _annotated(wasm: str) -> dict[str, Any]:
    known = {"v": 1, "run": "command", "wasm": wasm, "limits": {"memory": 65536, "concurrency": 1}}
    return {"pod_annotations": {f"{PREFIX}app": json.dumps(known)}}


def _located(pulled: Pulled, image: str, **container: Any) -> Located:
    return located(pulled.task(image, **container), pulled.node, pulled.records)


def _refusal(pulled: Pulled, image: str, **container: Any) -> str:
    with pytest.raises(StartError) as caught:
        planned(pulled.task(image, **container), pulled.node, pulled.records)
    assert caught.value.reason == "artifact"
    return str(caught.value)


@pytest.mark.parametrize("artifact", LAYERS, ids=lambda artifact: artifact.layout)
def test_the_layer_of_every_layout_is_found_in_the_content_store(artifact: Built, pulled: Pulled) -> None:
    found = _located(pulled, pulled.pull(artifact))
    assert found.file == WasmFile(str(pulled.blob(WASM)), WASM)


def test_a_plan_runs_the_file_of_the_content_store(pulled: Pulled) -> None:
    image = pulled.pull(artifacts.cncf())
    plan = planned(pulled.task(image, args=("/app.wasm", "a")), pulled.node, pulled.records)
    assert (plan.run, plan.wasm, plan.argv) == ("command", WasmFile(str(pulled.blob(WASM)), WASM), ("/app.wasm", "a"))
    annotated = planned(pulled.task(image, **_annotated(WASM)), pulled.node, pulled.records)
    assert annotated.limits.memory == 65536


def test_an_annotation_that_names_another_tenants_blob_starts_nothing(pulled: Pulled) -> None:
    """The blob is on the node, whole and under its own digest; the image has another."""
    others = pulled.put(OTHERS)
    message = _refusal(pulled, pulled.pull(artifacts.cncf()), **_annotated(others))
    assert others in message
    assert WASM in message


def test_an_image_of_another_tenant_is_not_reached_by_an_annotation_alone(pulled: Pulled) -> None:
    pulled.pull(artifacts.cncf())
    message = _refusal(pulled, f"{REPOSITORY}@sha256:{'0' * 64}", **_annotated(WASM))
    assert "No such file" in message


@pytest.mark.parametrize("written", ["hello:v1", "docker.io/library/hello:v1@{}", "{}"], ids=["tag", "both", "id"])
def test_however_the_image_is_named_its_manifest_is_found(written: str, pulled: Pulled) -> None:
    digest = pulled.pull(artifacts.cncf()).partition("@")[2]
    pulled.records.images = {"docker.io/library/hello:v1": digest, digest: digest}
    assert _located(pulled, written.format(digest)).file.digest == WASM


def test_where_nobody_names_the_image_containerd_is_asked_for_the_container(pulled: Pulled) -> None:
    pulled.records.containers = {"c1": "hello"}
    pulled.records.images = {"hello": pulled.pull(artifacts.cncf()).partition("@")[2]}
    assert _located(pulled, "").file.digest == WASM


def test_an_image_that_containerd_does_not_know_is_told(pulled: Pulled) -> None:
    assert "docker.io/library/nowhere:latest" in _refusal(pulled, "nowhere")
    assert "reference" in _refusal(pulled, "No Reference")


@pytest.mark.parametrize("artifact", LAYERS[1:], ids=lambda artifact: artifact.layout)
def test_an_image_whose_config_may_be_anothers_needs_an_annotation_that_agrees(artifact: Built, pulled: Pulled) -> None:
    """containerd tells images apart by their configs: two with one config pass for each other."""
    image = pulled.pull(artifact)
    assert "does not name the Wasm" in _refusal(pulled, image)
    assert planned(pulled.task(image, **_annotated(WASM)), pulled.node, pulled.records).wasm.digest == WASM


def test_a_config_that_names_another_layer_is_refused(pulled: Pulled) -> None:
    """An attacker's manifest with a victim's config has the victim's image ID."""
    forged = artifacts.built("cncf", (WASM_CONFIG, artifacts.wasm_config(MODULE)), [(WASM_LAYER, OTHERS)])
    assert "layerDigests" in _refusal(pulled, pulled.pull(forged))


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize("blob", range(3), ids=["config", "wasm", "manifest"])
@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda path: path.unlink(), id="missing"),
        pytest.param(lambda path: path.write_bytes(path.read_bytes()[:-1]), id="truncated"),
        pytest.param(lambda path: path.write_bytes(path.read_bytes()[:-1] + b"x"), id="other bytes"),
        pytest.param(lambda path: path.write_bytes(b""), id="empty"),
        pytest.param(lambda path: os.truncate(path, 1 << 40), id="endless"),
        pytest.param(lambda path: (path.rename(f"{path}.x"), path.symlink_to(f"{path}.x")), id="a link"),
        pytest.param(lambda path: (path.unlink(), path.mkdir()), id="a folder"),
        pytest.param(_pipe, id="a pipe"),
    ],
)
def test_a_blob_that_is_not_what_its_digest_says_is_refused(
    blob: int, damage: Callable[[Path], object], pulled: Pulled
) -> None:
    artifact = artifacts.cncf()
    image = pulled.pull(artifact)
    path = pulled.blob(digest_of((*artifact.blobs, artifact.manifest.data)[blob]))
    path.chmod(0o644)
    damage(path)
    message = _refusal(pulled, image)
    assert digest_of((*artifact.blobs, artifact.manifest.data)[blob]) in message
    assert "crictl rmi" in message


def test_a_manifest_of_ten_megabytes_is_not_read(pulled: Pulled) -> None:
    digest = pulled.put(b" " * (10 << 20))
    assert "10485760 bytes, more than" in _refusal(pulled, f"{REPOSITORY}@{digest}")


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b"[" * 100_000, b'{"schemaVersion":2,"layers":1}'])
def test_a_manifest_that_is_none_is_refused_by_its_name(data: bytes, pulled: Pulled) -> None:
    assert REPOSITORY in _refusal(pulled, f"{REPOSITORY}@{pulled.put(data)}")


def test_a_layer_larger_than_its_descriptor_says_is_refused(pulled: Pulled) -> None:
    artifact = artifacts.cncf()
    fields = json.loads(artifact.manifest.data)
    fields["layers"][0]["size"] -= 1
    for data in artifact.blobs:
        pulled.put(data)
    assert f"got {len(MODULE)} bytes" in _refusal(pulled, f"{REPOSITORY}@{pulled.put(json.dumps(fields).encode())}")


def test_of_an_index_the_manifest_that_was_pulled_runs(pulled: Pulled) -> None:
    """Wasm comes first; what containerd did not pull is passed over; what it runs itself is not overruled."""
    wasm, other = artifacts.cncf(), artifacts.cncf(COMPONENT)
    both = artifacts.index((wasm, LINUX), (other, Platform("wasip2", "wasm")))
    image = f"{REPOSITORY}@{pulled.put(both.manifest.data)}"
    assert "of which no manifest is on this node" in _refusal(pulled, image)
    pulled.pull(other)
    assert _located(pulled, image).file.digest == digest_of(COMPONENT)
    pulled.pull(wasm)
    assert _located(pulled, image).file.digest == WASM


def test_an_index_inside_an_index_is_refused(pulled: Pulled) -> None:
    inner = artifacts.index((artifacts.cncf(), None))
    assert "expected" in _refusal(pulled, pulled.pull(artifacts.index((inner, None))))


@pytest.mark.parametrize(
    ("artifact", "expected"),
    [
        *((artifact, True) for artifact in LAYERS),
        (artifacts.native_image(), False),
        (artifacts.compat(), False),
        (artifacts.index((artifacts.native_image(), LINUX), (artifacts.cncf(), Platform("wasi", "wasm"))), False),
    ],
    ids=lambda value: value.layout or "native" if isinstance(value, Built) else str(value),
)
def test_an_image_says_whether_it_is_wasm(artifact: Built, expected: bool, pulled: Pulled) -> None:
    task = pulled.task(pulled.pull(artifact), args=("/bin/server",))
    assert is_wasm_image(task, pulled.node, pulled.records) is expected


def test_an_image_that_cannot_be_read_is_an_ordinary_one(pulled: Pulled) -> None:
    assert not is_wasm_image(pulled.task("unknown"), pulled.node, pulled.records)


def _large(pulled: Pulled) -> tuple[str, Path]:
    wasm = MODULE + section(CUSTOM, name("padding") + bytes(8 << 20))
    return pulled.pull(artifacts.cncf(wasm)), pulled.blob(digest_of(wasm))


def test_a_large_layer_is_hashed_once(pulled: Pulled) -> None:
    """Its seal then answers for the file: a second start reads nothing of it."""
    image, path = _large(pulled)
    _located(pulled, image)
    before = _bytes_read()
    _located(pulled, image)
    assert _bytes_read() - before < path.stat().st_size
    assert (pulled.node.cache / "seals").stat().st_mode & 0o777 == 0o700


def test_a_large_layer_that_changed_after_it_was_hashed_is_refused(pulled: Pulled) -> None:
    """With its size and its times as before: what nobody can set is the time of the change."""
    image, path = _large(pulled)
    _located(pulled, image)
    before = path.stat()
    path.chmod(0o644)
    with path.open("r+b") as file:
        file.seek(before.st_size // 2)
        file.write(b"x")
    path.chmod(0o444)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert "got other bytes" in _refusal(pulled, image)


def test_a_cache_that_cannot_be_written_only_costs_time(pulled: Pulled) -> None:
    image, path = _large(pulled)
    pulled.node.cache.write_text("no folder")
    assert _located(pulled, image).file.path == str(path)


def _bytes_read() -> int:
    fields = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(fields["rchar"])


def test_only_a_config_that_names_the_wasm_stands_for_it_alone(pulled: Pulled) -> None:
    assert not _located(pulled, pulled.pull(artifacts.hybrid())).unique
    config = artifacts.wasm_config(MODULE, layerDigests=[])
    nameless = artifacts.built("cncf", (WASM_CONFIG, config), [(WASM_LAYER, MODULE)])
    assert not _located(pulled, pulled.pull(nameless)).unique
    assert _located(pulled, pulled.pull(artifacts.cncf())).unique


def test_a_spin_application_is_refused_by_name(pulled: Pulled) -> None:
    spin = artifacts.built("spin", (IMAGE_CONFIG, b"{}"), [("application/vnd.wasm.content.layer.v1+wasm", MODULE)])
    assert "Spin" in _refusal(pulled, pulled.pull(spin))
