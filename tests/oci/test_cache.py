"""The blob cache under real processes: one download for many, nothing half-done after a kill."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest

from tests.support.hostile_answers import CROWD
from tests.support.hostile_handler import WASM, Hostile
from tests.support.hostile_registry import hostile_registry
from wherry.errors import ArtifactError, InputError
from wherry.oci.access import Access
from wherry.oci.cache import BlobCache, Unusable
from wherry.oci.descriptor import Descriptor
from wherry.oci.digest import digest_of
from wherry.oci.pull import pull

DATA = b"some bytes"
BLOB = Descriptor.of(DATA, "")
PULL = """
import sys
from pathlib import Path
from wherry.oci.access import Access
from wherry.oci.pull import pull
from wherry.oci.transport.patience import Patience
print(pull(sys.argv[1], Access(Path(sys.argv[2]), patience=Patience(idle=120, small=120, blob=120))).path)
"""


@pytest.fixture
def hostile() -> Iterator[Hostile]:
    with hostile_registry() as server:
        yield server


def puller(reference: str, cache: Path) -> subprocess.Popen[str]:
    """A process of its own that pulls."""
    return subprocess.Popen([sys.executable, "-c", PULL, reference, cache], stdout=subprocess.PIPE, text=True)


def test_eight_processes_that_want_one_digest_download_it_once(hostile: Hostile, tmp_path: Path) -> None:
    pullers = [puller(f"{hostile.host}/t/blob-crowd:v1", tmp_path) for _ in range(CROWD)]
    answers = {process.communicate()[0] for process in pullers}
    assert [process.returncode for process in pullers] == [0] * CROWD
    assert len(answers) == 1
    assert Path(answers.pop().strip()).read_bytes() == WASM
    downloads = [seen for seen in hostile.seen if seen.path.endswith(f"/blobs/{digest_of(WASM)}")]
    assert len(downloads) == 1


def test_a_puller_killed_midway_leaves_a_cache_that_works(hostile: Hostile, tmp_path: Path) -> None:
    with puller(f"{hostile.host}/t/blob-stall:v1", tmp_path) as process:
        assert hostile.stalled.wait(60)
        os.kill(process.pid, signal.SIGKILL)
    assert [path.name for path in (tmp_path / "tmp").iterdir()] == [digest_of(WASM)[7:]]
    artifact = pull(f"{hostile.host}/t/ok:v1", Access(tmp_path))
    assert artifact.path.read_bytes() == WASM
    assert list((tmp_path / "tmp").iterdir()) == []


def test_what_a_dead_process_left_is_swept_when_the_cache_is_opened(tmp_path: Path) -> None:
    BlobCache(tmp_path)
    (tmp_path / "tmp" / "0123").write_bytes(b"half")
    BlobCache(tmp_path)
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_download_under_way_is_not_swept(tmp_path: Path) -> None:
    cache = BlobCache(tmp_path)
    with cache._writing(BLOB.digest):
        BlobCache(tmp_path)
        assert len(list((tmp_path / "tmp").iterdir())) == 1


def test_a_blob_is_read_only_and_lies_under_its_digest(tmp_path: Path) -> None:
    path = BlobCache(tmp_path).put(DATA, BLOB.digest)
    assert path == tmp_path / "blobs" / "sha256" / BLOB.digest[7:]
    assert path.stat().st_mode & 0o777 == 0o444


def test_a_blob_that_changed_on_disk_is_fetched_anew(tmp_path: Path) -> None:
    cache = BlobCache(tmp_path)
    path = cache.put(DATA, BLOB.digest)
    path.chmod(0o644)
    path.write_bytes(b"other bytes")
    assert cache.find(BLOB.digest) is None
    assert cache.put(DATA, BLOB.digest).read_bytes() == DATA


def test_a_fill_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def fail(file: object) -> None:
        raise ArtifactError("the bytes are wrong")

    cache = BlobCache(tmp_path)
    with pytest.raises(ArtifactError):
        cache.fetch(BLOB, fail)
    assert (cache.find(BLOB.digest), list((tmp_path / "tmp").iterdir())) == (None, [])


def test_a_blob_that_cannot_fit_is_refused_before_it_is_fetched(tmp_path: Path) -> None:
    into = BytesIO()
    with pytest.raises(Unusable, match="do not fit"):
        BlobCache(tmp_path).fetch(Descriptor("", BLOB.digest, 1 << 60), lambda _: into.write(DATA))
    assert into.getvalue() == b""


@pytest.mark.parametrize("name", ["cache", "cache/blobs"])
def test_a_cache_that_cannot_be_made_is_the_users_mistake(name: str, tmp_path: Path) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_bytes(b"a file in the way")
    with pytest.raises(InputError, match="WHERRY_CACHE"):
        BlobCache(tmp_path / "cache")


def test_a_disk_that_fills_up_meanwhile_is_told_with_the_cure(tmp_path: Path) -> None:
    def fill(file: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(InputError, match="No space left"):
        BlobCache(tmp_path).fetch(BLOB, fill)
    assert list((tmp_path / "tmp").iterdir()) == []
