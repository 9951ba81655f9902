"""A user's text is a registry, a layout folder or a file, told apart without looking at the disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from wherry.errors import InputError, InvalidReference
from wherry.oci.access import Access
from wherry.oci.pull import pull
from wherry.oci.reference import Reference
from wherry.oci.source import FileSource, FolderSource, Source, parse

DIGEST = "sha256:" + "ab" * 32


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("./app", FileSource(Path("app"))),
        ("../app.wasm", FileSource(Path("../app.wasm"))),
        ("/srv/app.wasm", FileSource(Path("/srv/app.wasm"))),
        ("app.wasm", FileSource(Path("app.wasm"))),
        ("build/app.wasm", FileSource(Path("build/app.wasm"))),
        ("ghcr.io/acme/app.wasm", Reference("ghcr.io", "acme/app.wasm", "latest")),
        ("localhost:5000/app.wasm", Reference("localhost:5000", "app.wasm", "latest")),
        ("app.wasm:v1", Reference("docker.io", "library/app.wasm", "v1")),
        ("oci:folder", FolderSource(Path("folder"))),
        ("oci:folder:v1", FolderSource(Path("folder"), "v1")),
        ("oci:/a:b/folder:v1", FolderSource(Path("/a:b/folder"), "v1")),
        (f"oci:folder@{DIGEST}", FolderSource(Path("folder"), DIGEST)),
    ],
)
def test_a_source_is_told_by_its_text(text: str, expected: Source) -> None:
    assert parse(text) == expected


@pytest.mark.parametrize("text", ["", "oci:", "oci::v1", "oci:folder@sha256:1", "a\0b"])
def test_a_text_that_names_nothing_is_refused(text: str) -> None:
    with pytest.raises(InvalidReference):
        parse(text)


def test_a_plain_file_is_an_artifact_without_a_manifest(wasm: Path, access: Access) -> None:
    found = pull(str(wasm), access)
    assert (found.path, found.layout, found.digest, found.title) == (wasm, "file", "", "hello.wasm")


@pytest.mark.parametrize("content", [b"", b"\0asm", b"\x7fELF" + bytes(60), b"hello"])
def test_a_file_that_is_not_wasm_is_the_users_mistake(content: bytes, tmp_path: Path, access: Access) -> None:
    path = tmp_path / "app.wasm"
    path.write_bytes(content)
    with pytest.raises(InputError):
        pull(str(path), access)


def test_an_absent_file_and_a_folder_are_the_users_mistake(tmp_path: Path, access: Access) -> None:
    for path in (tmp_path / "absent.wasm", tmp_path):
        with pytest.raises(InputError, match=str(path)):
            pull(str(path), access)
