"""What is written: the CNCF layout, always the same bytes for the same input."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.artifacts import COMPONENT, MODULE
from wherry.errors import InputError, InvalidModule, InvalidReference
from wherry.oci.access import Access
from wherry.oci.digest import digest_of
from wherry.oci.folder import FolderRepository
from wherry.oci.pack import EPOCH, created_at, pack
from wherry.oci.push import push
from wherry.wasm.inspect import inspect

GOLDEN = "sha256:885696d52d7ceb5a872f902725bd4408e7719eab6e75319883214f2f9822ad8e"


def test_the_manifest_is_the_cncf_layout() -> None:
    packed = pack(MODULE, inspect(MODULE), "hello.wasm", {"b": "2", "a": "1"}, EPOCH)
    assert json.loads(packed.manifest.data) == {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {
            "mediaType": "application/vnd.wasm.config.v0+json",
            "digest": digest_of(packed.config),
            "size": len(packed.config),
        },
        "layers": [
            {
                "mediaType": "application/wasm",
                "digest": digest_of(MODULE),
                "size": len(MODULE),
                "annotations": {"org.opencontainers.image.title": "hello.wasm"},
            }
        ],
        "annotations": {"a": "1", "b": "2"},
    }


@pytest.mark.parametrize(
    ("wasm", "system", "component"),
    [(MODULE, "wasip1", None), (COMPONENT, "wasip2", {"exports": [], "imports": [], "target": None})],
)
def test_the_config_is_unique_and_says_kind_and_layer(wasm: bytes, system: str, component: object) -> None:
    config = json.loads(pack(wasm, inspect(wasm), "x", {}, EPOCH).config)
    assert config == {
        "created": EPOCH,
        "author": None,
        "architecture": "wasm",
        "os": system,
        "layerDigests": [digest_of(wasm)],
        "component": component,
    }


def test_the_order_of_annotations_does_not_change_the_digest() -> None:
    one = pack(MODULE, inspect(MODULE), "x", {"a": "1", "b": "2"}, EPOCH)
    other = pack(MODULE, inspect(MODULE), "x", {"b": "2", "a": "1"}, EPOCH)
    assert one.manifest.digest == other.manifest.digest


def test_a_release_that_changes_what_it_writes_changes_this_digest() -> None:
    packed = pack(MODULE, inspect(MODULE), "hello.wasm", {"org.opencontainers.image.version": "1.0"}, EPOCH)
    assert packed.manifest.digest == GOLDEN


@pytest.mark.parametrize(
    ("text", "expected"), [(None, EPOCH), ("", EPOCH), ("0", EPOCH), ("1700000000", "2023-11-14T22:13:20Z")]
)
def test_created_is_source_date_epoch(text: str | None, expected: str) -> None:
    assert created_at(text) == expected


@pytest.mark.parametrize("text", ["now", "-1", "1.5", "9" * 12, "9" * 13])
def test_a_wrong_source_date_epoch_is_the_users_mistake(text: str) -> None:
    with pytest.raises(InputError, match="SOURCE_DATE_EPOCH"):
        created_at(text)


def test_source_date_epoch_is_taken_from_the_environment(
    wasm: Path, tmp_path: Path, access: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    dated = push(wasm, f"oci:{tmp_path / 'layout'}:v1", access)
    monkeypatch.delenv("SOURCE_DATE_EPOCH")
    assert push(wasm, f"oci:{tmp_path / 'layout'}:v2", access).digest != dated.digest


@pytest.mark.parametrize("target", ["./app.wasm", "oci:x@sha256:" + "0" * 64, "ghcr.io/a@sha256:" + "0" * 64])
def test_a_push_goes_to_a_tag(target: str, wasm: Path, access: Access) -> None:
    with pytest.raises(InvalidReference):
        push(wasm, target, access)


def test_what_is_not_wasm_is_not_pushed(tmp_path: Path, access: Access) -> None:
    (tmp_path / "x.wasm").write_bytes(b"\x7fELF" + bytes(60))
    with pytest.raises(InvalidModule):
        push(tmp_path / "x.wasm", f"oci:{tmp_path / 'layout'}:v1", access)
    assert not (tmp_path / "layout").exists()


def test_an_absent_file_is_the_users_mistake(tmp_path: Path, access: Access) -> None:
    with pytest.raises(InputError, match="No such file"):
        push(tmp_path / "absent.wasm", f"oci:{tmp_path}:v1", access)


def test_a_push_into_a_folder_needs_no_tag(wasm: Path, tmp_path: Path, access: Access) -> None:
    pushed = push(wasm, f"oci:{tmp_path / 'layout'}", access)
    assert FolderRepository(tmp_path / "layout").manifest("latest").digest == pushed.digest
