"""Tar as image layers use it, read once from front to back: ustar, GNU long names, pax paths and sizes.

The standard library's reader keeps every entry, reads extensions of any size into memory and has looped for ever on
hostile headers; this one holds 512 bytes and a name.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from wherry.errors import ArtifactError

BLOCK = 512
_EXTENSION_LIMIT = 1 << 20
_PIECE = 1 << 16
_REGULAR = frozenset({b"0", b"\0", b"7"})
_LONG_NAME, _PAX, _PAX_GLOBAL = b"L", b"x", b"g"


class BadTar(ArtifactError):
    """Bytes that are not a tar archive that we read."""


@dataclass(frozen=True, slots=True)
class Entry:
    """name as written. regular: a plain file, not a link, folder, device or sparse file."""

    name: str
    size: int
    regular: bool


class TarReader:
    """Entries one after another; the body of the current one may be read, and is skipped otherwise."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._left = 0
        self._padding = 0

    def __iter__(self) -> Iterator[Entry]:
        name, size = "", -1
        while header := self._header():
            kind, length = header[156:157], _number(header[124:136])
            self._left, self._padding = length, -length % BLOCK
            if kind == _LONG_NAME:
                name = _text(self._extension().rstrip(b"\0"))
            elif kind == _PAX:
                name, size = _pax(self._extension(), name, size)
            elif kind != _PAX_GLOBAL:
                if size >= 0:
                    self._left, self._padding = size, -size % BLOCK
                yield Entry(name or _name(header), self._left, kind in _REGULAR)
                name, size = "", -1
            self._skip()

    def body(self) -> Iterator[bytes]:
        """The rest of the current entry's bytes."""
        while self._left:
            yield self._read(min(self._left, _PIECE))

    def _header(self) -> bytes:
        """The next header; empty at the end, which is a block of zeros or the end of the bytes."""
        block = self._stream.read(BLOCK)
        if not block or block == bytes(BLOCK):
            return b""
        if len(block) != BLOCK or not _sum_is_right(block):
            raise BadTar("a tar header that is cut or damaged")
        return block

    def _extension(self) -> bytes:
        if self._left > _EXTENSION_LIMIT:
            raise BadTar(f"a tar extension of {self._left} bytes, expected at most {_EXTENSION_LIMIT}")
        return b"".join(self.body())

    def _skip(self) -> None:
        for _ in self.body():
            pass
        self._left, self._padding = self._padding, 0
        for _ in self.body():
            pass

    def _read(self, size: int) -> bytes:
        piece = self._stream.read(size)
        if not piece:
            raise BadTar(f"a tar archive that ends {self._left} bytes early")
        self._left -= len(piece)
        return piece


def _sum_is_right(block: bytes) -> bool:
    return _number(block[148:156]) == sum(block[:148]) + 8 * ord(" ") + sum(block[156:])


def _number(digits: bytes) -> int:
    """Octal text, or GNU's base 256 with the highest bit set."""
    if digits[0] == 0x80:
        return int.from_bytes(digits[1:], "big")
    text = digits.strip(b" \0")
    if not all(digit in b"01234567" for digit in text):
        raise BadTar(f"the number {digits!r} in a tar header")
    return int(text, 8) if text else 0


def _name(header: bytes) -> str:
    name = header[:100].partition(b"\0")[0]
    prefix = header[345:500].partition(b"\0")[0] if header[257:263] == b"ustar\0" else b""
    return _text(prefix + b"/" + name if prefix else name)


def _text(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")


def _pax(data: bytes, name: str, size: int) -> tuple[str, int]:
    """Path and size of a pax extended header (POSIX.1-2017, pax §Extended Header): `<length> <key>=<value>\\n`."""
    while data:
        length, space, _ = data[:20].partition(b" ")
        if not space or not length.isdigit() or not len(length) + 1 < int(length) <= len(data):
            raise BadTar("a damaged pax header")
        key, _, value = data[len(length) + 1 : int(length) - 1].partition(b"=")
        data = data[int(length) :]
        if key == b"path":
            name = _text(value)
        elif key == b"size":
            size = _pax_size(value)
        elif key.startswith(b"GNU.sparse"):
            raise BadTar("a sparse file")
    return name, size


def _pax_size(value: bytes) -> int:
    if not value.isdigit() or len(value) > 18:
        raise BadTar("a pax header with a damaged size")
    return int(value)
