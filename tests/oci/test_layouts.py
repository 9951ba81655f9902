"""Every layout in the wild is recognised by name; what cannot run says why and what to do."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from tests.support.artifacts import (
    ELF,
    MODULE,
    READABLE,
    TAR_GZIP,
    Built,
    built,
    cncf,
    compat,
    image_config,
    index,
    native_image,
    tar,
    wasm_config,
)
from tests.support.registry import Registry
from wherry.errors import ArtifactError, InputError, InvalidReference, LayoutNotRunnable
from wherry.oci.access import Access, opened
from wherry.oci.descriptor import Platform
from wherry.oci.digest import digest_of
from wherry.oci.folder import FolderRepository
from wherry.oci.layouts import IMAGE_CONFIG, WASM_CONFIG, WASM_LAYER
from wherry.oci.pull import describe, pull
from wherry.oci.reference import parse

NAMES = [f"{number}-{artifact.layout}" for number, artifact in enumerate(READABLE)]
SPIN = "application/vnd.fermyon.spin.application.v1+config"
PAR = "application/vnd.wasmcloud.provider.archive"
SIMPLE = "application/vnd.dev.cosign.simplesigning.v1+json"

REFUSED = {
    "spin": built("", (IMAGE_CONFIG, b"{}"), [("application/vnd.wasm.content.layer.v1+wasm", MODULE), (SPIN, b"{}")]),
    "wasmcloud-provider": built("", (f"{PAR}.config", b"{}"), [(f"{PAR}.layer.v1+par", b"x")]),
    "encrypted": built("", (IMAGE_CONFIG, b"{}"), [(f"{TAR_GZIP}+encrypted", b"x")]),
    "precompiled": built("", (WASM_CONFIG, b"{}"), [("application/vnd.acme.cwasm.v1", ELF)]),
    "signature": built("", (IMAGE_CONFIG, b"{}"), [(SIMPLE, b"{}")]),
    "cncf": built("", (WASM_CONFIG, wasm_config(MODULE)), [(WASM_LAYER, MODULE), (WASM_LAYER, MODULE + b"\0\x01\0")]),
    "ordinary container image": native_image(),
    "Spin": built(
        "",
        (IMAGE_CONFIG, json.dumps({"config": {"Labels": {"com.fermyon.spin.lockedAppDigest": "x"}}}).encode()),
        [(WASM_LAYER, MODULE)],
    ),
}


def folder(tmp_path: Path, artifact: Built) -> str:
    """A layout folder that holds one artifact."""
    artifact.put(FolderRepository(tmp_path / "layout", create=True))
    return f"oci:{tmp_path / 'layout'}:v1"


@pytest.mark.parametrize("artifact", READABLE, ids=NAMES)
def test_a_readable_layout_gives_its_wasm_and_its_name(artifact: Built, tmp_path: Path, access: Access) -> None:
    found = pull(folder(tmp_path, artifact), access)
    assert found.layout == artifact.layout
    assert found.wasm == digest_of(found.path.read_bytes())
    assert found.path.read_bytes()[:4] == b"\0asm"
    assert (found.index_digest != "") == bool(artifact.children)


@pytest.mark.parametrize("artifact", READABLE, ids=NAMES)
def test_a_real_registry_keeps_every_layout(artifact: Built, plain: Registry, access: Access) -> None:
    reference = f"{plain.host}/layouts/n{READABLE.index(artifact)}:v1"
    with opened(parse(reference), access) as repository:
        digest = artifact.put(repository)
    found = pull(reference, access)
    assert found.layout == artifact.layout
    assert digest in {found.digest, found.index_digest}


@pytest.mark.parametrize(("name", "artifact"), REFUSED.items())
def test_what_cannot_run_is_refused_by_name_with_a_cure(
    name: str, artifact: Built, tmp_path: Path, access: Access
) -> None:
    with pytest.raises(LayoutNotRunnable) as caught:
        pull(folder(tmp_path, artifact), access)
    assert name in caught.value.message
    assert caught.value.cure


def test_what_is_no_wasm_at_all_is_told_by_its_media_types(tmp_path: Path, access: Access) -> None:
    chart = built("", ("application/vnd.cncf.helm.config.v1+json", b"{}"), [("application/x-tar", b"x")])
    with pytest.raises(ArtifactError, match=r"cncf\.helm.*expected a Wasm artifact"):
        pull(folder(tmp_path, chart), access)


@pytest.mark.parametrize("data", [ELF, b"\0asm\x02\0\0\0", b"PK\x03\x04", b"\0as", b"#!/bin/sh\n"])
def test_bytes_decide_whatever_the_media_type_says(data: bytes, tmp_path: Path, access: Access) -> None:
    with pytest.raises(ArtifactError):
        pull(folder(tmp_path, cncf(data)), access)


def test_machine_code_in_a_tar_image_is_refused(tmp_path: Path, access: Access) -> None:
    with pytest.raises(ArtifactError):
        pull(folder(tmp_path, compat(ELF)), access)


def test_a_config_of_another_artifact_is_refused(tmp_path: Path, access: Access) -> None:
    artifact = built("", (WASM_CONFIG, wasm_config(b"other")), [(WASM_LAYER, MODULE)])
    with pytest.raises(ArtifactError, match="layerDigests"):
        pull(folder(tmp_path, artifact), access)


def test_a_wasm_larger_than_the_limit_is_refused_before_it_is_fetched(tmp_path: Path) -> None:
    access = Access(tmp_path / "cache", wasm_limit=len(MODULE) - 1)
    with pytest.raises(ArtifactError, match="at most"):
        pull(folder(tmp_path, cncf()), access)
    assert not (tmp_path / "cache/blobs/sha256" / digest_of(MODULE)[7:]).exists()


def test_the_topmost_layer_wins_and_a_whiteout_hides(tmp_path: Path, access: Access) -> None:
    above = compat(below=[tar({"app.wasm": b"older"})])
    assert pull(folder(tmp_path, above), access).path.read_bytes() == MODULE
    hidden = _image([tar({"app.wasm": MODULE}), tar({".wh.app.wasm": b""})])
    with pytest.raises(ArtifactError, match="deleted by a later layer"):
        pull(folder(tmp_path, hidden), access)


def test_a_layer_that_unpacks_to_other_bytes_is_refused(tmp_path: Path, access: Access) -> None:
    config = image_config([b"something else"], {"Entrypoint": ["/app.wasm"]})
    artifact = built("", (IMAGE_CONFIG, config), [(TAR_GZIP, gzip.compress(tar({"app.wasm": MODULE})))])
    with pytest.raises(ArtifactError, match="diff_ids"):
        pull(folder(tmp_path, artifact), access)


def test_an_image_without_the_file_of_its_entrypoint_is_refused(tmp_path: Path, access: Access) -> None:
    with pytest.raises(ArtifactError, match=r"no layer has the file /app\.wasm"):
        pull(folder(tmp_path, _image([tar({"other": b"x"})])), access)


def test_an_index_without_wasm_and_without_this_machine_is_told_by_its_platforms(
    tmp_path: Path, access: Access
) -> None:
    with pytest.raises(ArtifactError, match="plan9/mips"):
        pull(folder(tmp_path, index((native_image(), Platform("plan9", "mips")))), access)


def test_an_attestation_in_an_index_is_passed_over(tmp_path: Path, access: Access) -> None:
    artifact = index(
        (native_image(), Platform("unknown", "unknown")), (cncf(), Platform("wasi", "wasm")), layout="cncf"
    )
    assert pull(folder(tmp_path, artifact), access).digest == cncf().manifest.digest


def test_describing_an_artifact_downloads_no_wasm_and_marks_claims(tmp_path: Path, access: Access) -> None:
    found = describe(folder(tmp_path, cncf()), access)
    assert (found.digest, found.layout, found.size) == (cncf().manifest.digest, "cncf", len(MODULE))
    assert found.claim is not None
    assert found.claim.os == "wasip1"
    assert not (tmp_path / "cache/blobs/sha256" / digest_of(MODULE)[7:]).exists()


def test_a_gate_that_refuses_stops_before_the_wasm_is_fetched(tmp_path: Path, access: Access) -> None:
    def refuse(*_: object) -> None:
        raise ArtifactError("not signed")

    with pytest.raises(ArtifactError, match="not signed"):
        pull(folder(tmp_path, cncf()), access, gate=refuse)
    assert not (tmp_path / "cache/blobs/sha256" / digest_of(MODULE)[7:]).exists()


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (image_config([]), "diff_ids: got 0, expected 1"),
        (b'{"rootfs": {"diff_ids": ["md5:0"]}}', "sha256 digests"),
        (b'{"config": {"Entrypoint": [1]}}', "expected strings"),
        (b'{"config": {"Entrypoint": "/app.wasm"}}', "a list"),
        (b'{"config": []}', "an object"),
        (b'{"os": 1}', "a string"),
    ],
)
def test_an_image_config_that_is_wrong_names_the_field(
    config: bytes, said: str, tmp_path: Path, access: Access
) -> None:
    artifact = built("", (IMAGE_CONFIG, config), [(TAR_GZIP, gzip.compress(tar({"app.wasm": MODULE}), mtime=0))])
    with pytest.raises(ArtifactError, match=said):
        pull(folder(tmp_path, artifact), access)


@pytest.mark.parametrize(
    ("changes", "said"),
    [({"architecture": "amd64"}, "expected wasm"), ({"layerDigests": [1]}, "strings"), ({"component": 1}, "an object")],
)
def test_a_wasm_config_that_is_wrong_names_the_field(
    changes: dict[str, object], said: str, tmp_path: Path, access: Access
) -> None:
    artifact = built("", (WASM_CONFIG, wasm_config(MODULE, **changes)), [(WASM_LAYER, MODULE)])
    with pytest.raises(ArtifactError, match=said):
        pull(folder(tmp_path, artifact), access)


def test_an_image_of_very_many_layers_is_refused(tmp_path: Path, access: Access) -> None:
    with pytest.raises(ArtifactError, match="at most 32"):
        pull(folder(tmp_path, _image([tar({"app.wasm": MODULE})] * 33)), access)


def test_an_envoy_plugin_needs_no_entrypoint(tmp_path: Path, access: Access) -> None:
    data = tar({"plugin.wasm": MODULE})
    artifact = built("compat", (IMAGE_CONFIG, image_config([data])), [(TAR_GZIP, gzip.compress(data, mtime=0))])
    assert pull(folder(tmp_path, artifact), access).wasm == digest_of(MODULE)


def test_a_plain_file_cannot_be_described_and_has_the_same_limit(wasm: Path, tmp_path: Path) -> None:
    small = Access(tmp_path / "cache", wasm_limit=len(MODULE) - 1)
    with pytest.raises(InvalidReference, match="no manifest"):
        describe(str(wasm), small)
    with pytest.raises(InputError, match="at most"):
        pull(str(wasm), small)


def _image(tars: list[bytes]) -> Built:
    config = image_config(tars, {"Entrypoint": ["/app.wasm"]})
    return built("compat", (IMAGE_CONFIG, config), [(TAR_GZIP, gzip.compress(data, mtime=0)) for data in tars])
