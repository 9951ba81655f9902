"""Tar layers: read as the standard library reads them, and refused where it would be led astray."""

from __future__ import annotations

import gzip
import io
import tarfile
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.artifacts import MODULE, tar
from wherry.errors import ArtifactError
from wherry.oci.digest import digest_of
from wherry.oci.tar import BLOCK, BadTar, TarReader
from wherry.oci.tar_layer import UNPACKED_LIMIT, copy_file

FORMATS = [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]
LIMIT = 64 << 20

names = st.lists(st.sampled_from(["a", "b.wasm", "d" * 60, "é"]), min_size=1, max_size=4).map("/".join)
files = st.dictionaries(names, st.binary(max_size=2000), max_size=5)


def copied(layer: bytes, path: str = "app.wasm", diff_id: str = "", limit: int = LIMIT) -> bytes | None:
    """The file at path, None when it is not there."""
    unpacked = gzip.decompress(layer) if layer[:2] == b"\x1f\x8b" and not diff_id else layer
    into = io.BytesIO()
    found = copy_file(io.BytesIO(layer), path, diff_id or digest_of(unpacked), into, limit)
    return into.getvalue() if found else None


@given(files, st.sampled_from(FORMATS[1:]))
def test_entries_are_those_of_the_standard_library(content: dict[str, bytes], form: int) -> None:
    data = tar(content, form)
    reader = TarReader(io.BytesIO(data))
    found = [(entry.name, entry.size, b"".join(reader.body())) for entry in reader]
    assert found == [(name, len(body), body) for name, body in content.items()]


@pytest.mark.parametrize("form", FORMATS)
def test_a_name_of_more_than_100_characters_is_read_in_every_format(form: int) -> None:
    name = "/".join(["x" * 60] * 3) + "/app.wasm"
    assert copied(tar({name: MODULE}, form), name) == MODULE


@given(st.binary(max_size=3 * BLOCK))
def test_any_bytes_are_a_tar_or_one_typed_error(data: bytes) -> None:
    reader = TarReader(io.BytesIO(data))
    try:
        assert sum(entry.size for entry in reader) <= len(data)
    except BadTar:
        return


@given(st.integers(0, 3 * BLOCK - 1), st.integers(1, 255))
def test_a_changed_byte_is_a_typed_error_or_another_file(place: int, change: int) -> None:
    data = bytearray(tar({"app.wasm": MODULE}, tarfile.USTAR_FORMAT))
    data[place] ^= change
    try:
        copied(bytes(data), diff_id=digest_of(bytes(data)))
    except ArtifactError:
        return


@pytest.mark.parametrize("name", ["app.wasm", "./app.wasm", "/app.wasm", ".//app.wasm"])
def test_the_ways_of_writing_a_path_are_one(name: str) -> None:
    assert copied(gzip.compress(tar({name: MODULE}))) == MODULE


def test_the_last_entry_of_a_name_counts() -> None:
    assert copied(tar({"app.wasm": b"older", "./app.wasm": MODULE})) == MODULE


def test_an_uncompressed_layer_is_read_too() -> None:
    assert copied(tar({"app.wasm": MODULE})) == MODULE
    assert copied(tar({"other": MODULE})) is None


def test_a_file_added_again_in_the_layer_that_hides_the_old_one_is_there() -> None:
    assert copied(tar({"d/.wh..wh..opq": b"", "d/app.wasm": MODULE}), "d/app.wasm") == MODULE


@pytest.mark.parametrize("whiteout", ["d/.wh.app.wasm", ".wh.d", "d/.wh..wh..opq", ".wh..wh..opq"])
def test_a_whiteout_of_the_file_or_of_a_folder_above_hides_it(whiteout: str) -> None:
    with pytest.raises(ArtifactError, match="deleted"):
        copied(tar({whiteout: b""}), "d/app.wasm")


@pytest.mark.parametrize("content", ["/etc/passwd", None])
def test_a_link_or_a_folder_in_place_of_the_file_is_refused(content: str | None) -> None:
    with pytest.raises(ArtifactError, match="expected a file"):
        copied(tar({"app.wasm": content}))


def test_a_file_larger_than_the_limit_is_refused_before_it_is_read() -> None:
    with pytest.raises(ArtifactError, match="at most 10"):
        copied(tar({"app.wasm": MODULE}), limit=10)


def test_a_bomb_is_refused_when_its_limit_is_passed() -> None:
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    header = tarfile.TarInfo("zeros")
    header.size = 1 << 30
    zeros = bytes(1 << 20)
    bomb = packer.compress(header.tobuf()) + b"".join(packer.compress(zeros) for _ in range(128)) + packer.flush()
    with pytest.raises(BadTar, match=str(UNPACKED_LIMIT)):
        copied(bomb, diff_id=digest_of(b""))


def test_an_archive_of_very_many_entries_is_refused() -> None:
    with pytest.raises(BadTar, match="entries"):
        copied(tar({f"f{number}": b"" for number in range(20_001)}, tarfile.USTAR_FORMAT))


def test_an_extension_of_a_megabyte_is_refused() -> None:
    with pytest.raises(BadTar, match="extension"):
        copied(tar({"x" * (1 << 21): b""}))


GZIPPED = gzip.compress(tar({"app.wasm": MODULE}), mtime=0)
ZSTD = b"\x28\xb5\x2f\xfd" + bytes(20)


@pytest.mark.parametrize(
    ("layer", "said"),
    [
        (GZIPPED[:60], "ends early"),
        (GZIPPED + GZIPPED, "behind its end"),
        (GZIPPED + b"more", "behind its end"),
        (b"\x1f\x8b" + b"A" * 100, "damaged"),
        (ZSTD, "zstd"),
        (b"not a tar" * 100, "cut or damaged|number"),
        (tar({"app.wasm": MODULE})[:700], "ends"),
    ],
    ids=["cut", "two members", "trailing", "garbage", "zstd", "no tar", "cut tar"],
)
def test_a_damaged_layer_says_how(layer: bytes, said: str) -> None:
    with pytest.raises(ArtifactError, match=said):
        copied(layer, diff_id=digest_of(b""))
