"""OCI layout folders: read like a stranger's, written so that every moment is a folder that is right."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest

from tests.support.artifacts import MODULE, cncf, cncf_artifact_type, solo
from wherry.errors import ArtifactError, InputError, RegistryError
from wherry.oci.access import Access
from wherry.oci.descriptor import Descriptor
from wherry.oci.digest import digest_of
from wherry.oci.folder import FolderRepository
from wherry.oci.manifest import parse_manifest
from wherry.oci.pull import pull
from wherry.oci.push import push
from wherry.oci.store import Silent

WRITERS = 6
WRITE = """
import sys
from pathlib import Path
from wherry.oci.access import Access
from wherry.oci.push import push
for number in range(10):
    push(Path(sys.argv[1]), f"oci:{sys.argv[2]}:{sys.argv[3]}-{number}", Access(Path(sys.argv[4])))
"""


@pytest.fixture
def layout(tmp_path: Path) -> FolderRepository:
    return FolderRepository(tmp_path / "layout", create=True)


def test_a_new_folder_has_the_three_parts_of_the_specification(layout: FolderRepository, tmp_path: Path) -> None:
    digest = cncf().put(layout)
    assert json.loads((tmp_path / "layout/oci-layout").read_text()) == {"imageLayoutVersion": "1.0.0"}
    [entry] = json.loads((tmp_path / "layout/index.json").read_text())["manifests"]
    assert (entry["digest"], entry["annotations"]) == (digest, {"org.opencontainers.image.ref.name": "v1"})
    assert (tmp_path / "layout/blobs/sha256" / digest[7:]).read_bytes() == cncf().manifest.data


def test_a_tag_moves_and_what_it_named_stays_by_digest(layout: FolderRepository) -> None:
    first, second = cncf().put(layout), solo().put(layout)
    assert layout.manifest("v1").digest == second
    assert layout.manifest(first).digest == first


def test_the_only_manifest_needs_no_tag_and_two_do(layout: FolderRepository, tmp_path: Path, access: Access) -> None:
    digest = cncf().put(layout, "a")
    assert pull(f"oci:{tmp_path / 'layout'}", access).digest == digest
    solo().put(layout, "b")
    with pytest.raises(ArtifactError, match="name one: a, b"):
        pull(f"oci:{tmp_path / 'layout'}", access)


def test_an_empty_folder_says_that_nothing_is_in_it(layout: FolderRepository, tmp_path: Path, access: Access) -> None:
    with pytest.raises(ArtifactError, match="0 manifests"):
        pull(f"oci:{tmp_path / 'layout'}", access)


def test_a_referrer_is_found_by_its_subject_and_does_not_count_as_the_artifact(layout: FolderRepository) -> None:
    subject = cncf().put(layout)
    manifest = parse_manifest(cncf_artifact_type().manifest, "x")
    referrer = replace(manifest, subject=cncf().manifest.descriptor).to_raw()
    layout.put_manifest(referrer)
    assert [entry.digest for entry in layout.referrers(subject)] == [referrer.digest]
    assert layout.only_target() == subject
    assert layout.referrers(digest_of(b"other")) == ()


def test_a_blob_that_changed_on_disk_is_refused(layout: FolderRepository, tmp_path: Path, access: Access) -> None:
    cncf().put(layout)
    path = tmp_path / "layout/blobs/sha256" / digest_of(MODULE)[7:]
    path.chmod(0o644)
    path.write_bytes(bytes(len(MODULE)))
    with pytest.raises(RegistryError) as caught:
        pull(f"oci:{tmp_path / 'layout'}:v1", access)
    assert caught.value.kind == "digest"


def test_a_blob_that_is_not_there_is_not_found(layout: FolderRepository) -> None:
    with pytest.raises(RegistryError) as caught:
        layout.blob(Descriptor.of(b"absent", ""))
    assert (caught.value.kind, layout.has_blob(digest_of(b"absent"))) == ("notfound", False)


def test_a_blob_put_twice_is_written_once(layout: FolderRepository, tmp_path: Path) -> None:
    blob = Descriptor.of(MODULE, "")
    layout.put_blob(blob, BytesIO(MODULE), Silent())
    before = (tmp_path / "layout/blobs/sha256" / blob.digest[7:]).stat().st_ino
    layout.put_blob(blob, BytesIO(MODULE), Silent())
    assert (tmp_path / "layout/blobs/sha256" / blob.digest[7:]).stat().st_ino == before


@pytest.mark.parametrize(
    ("name", "content"),
    [("oci-layout", b"{}"), ("oci-layout", b"x"), ("index.json", b"[]"), ("index.json", b'{"schemaVersion":2}x')],
)
def test_a_folder_that_is_wrong_is_one_typed_error(
    name: str, content: bytes, layout: FolderRepository, tmp_path: Path, access: Access
) -> None:
    cncf().put(layout)
    (tmp_path / "layout" / name).write_bytes(content)
    with pytest.raises(ArtifactError, match="layout"):
        pull(f"oci:{tmp_path / 'layout'}:v1", access)


def test_a_folder_without_its_index_is_one_typed_error(
    layout: FolderRepository, tmp_path: Path, access: Access
) -> None:
    (tmp_path / "layout/index.json").unlink()
    with pytest.raises(ArtifactError, match=r"index\.json"):
        pull(f"oci:{tmp_path / 'layout'}:v1", access)


def test_another_folder_is_told_to_be_no_layout(tmp_path: Path, access: Access) -> None:
    with pytest.raises(ArtifactError, match="not an OCI layout"):
        pull(f"oci:{tmp_path}:v1", access)


def test_writers_at_once_lose_no_tag(wasm: Path, tmp_path: Path) -> None:
    folder = tmp_path / "layout"
    arguments = [[str(wasm), str(folder), f"w{number}", str(tmp_path / "cache")] for number in range(WRITERS)]
    writers = [subprocess.Popen([sys.executable, "-c", WRITE, *given]) for given in arguments]
    assert [writer.wait() for writer in writers] == [0] * WRITERS
    entries = json.loads((folder / "index.json").read_text())["manifests"]
    tags = {entry["annotations"]["org.opencontainers.image.ref.name"] for entry in entries}
    assert tags == {f"w{number}-{count}" for number in range(WRITERS) for count in range(10)}
    assert [path.name for path in folder.rglob(".writing-*")] == []


def test_a_folder_that_cannot_be_written_is_the_users_mistake(wasm: Path, access: Access) -> None:
    with pytest.raises(InputError, match="written"):
        push(wasm, f"oci:{wasm}:v1", access)
