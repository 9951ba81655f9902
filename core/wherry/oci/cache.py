"""Blobs on this machine, by digest: what is there is whole, and a process that dies leaves nothing that counts.

`blobs/sha256/<hex>` is written once and read-only; `tmp/<hex>` is one writer's, who holds its lock. The lock goes with
the process, so a file there without a holder is rubbish. One writer for a digest: the others wait and find it done.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from wherry.errors import InputError
from wherry.oci.descriptor import Descriptor
from wherry.oci.digest import hex_of

_RESERVE = 64 << 20
"""Bytes that a download leaves free."""


class Unusable(InputError):
    """The folder cannot be written, or its disk is full."""


class BlobCache:
    """All files lie under root, on one filesystem. Safe for any number of processes."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._blobs = root / "blobs" / "sha256"
        self._tmp = root / "tmp"
        with self._usable():
            for folder in (self._blobs, self._tmp):
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._sweep()

    def find(self, digest: str) -> Path | None:
        """The blob's file, hashed anew; None when it is not there. One that has changed is removed.

        Hashing again is cheap beside what follows and says that a disk or a neighbour has not touched the file.
        """
        path = self._path(digest)
        try:
            with path.open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except FileNotFoundError:
            return None
        if found == hex_of(digest):
            return path
        path.unlink(missing_ok=True)
        return None

    def fetch(self, descriptor: Descriptor, fill: Callable[[BinaryIO], object]) -> Path:
        """The blob's file; fill writes it when it is not there, and must raise unless the bytes are right."""
        if path := self.find(descriptor.digest):
            return path
        with self._usable(), self._writing(descriptor.digest) as file:
            if path := self.find(descriptor.digest):
                return path
            self._check_space(descriptor)
            fill(file)
            self._keep(file, descriptor.digest)
        return self._path(descriptor.digest)

    def put(self, data: bytes, digest: str) -> Path:
        """Keep bytes whose digest is known to be right."""
        return self.fetch(Descriptor("", digest, len(data)), lambda file: _write(file, data))

    @contextmanager
    def _usable(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            cure = "set WHERRY_CACHE to a folder that can be written"
            raise Unusable(f"cache {self._root}: {error.strerror or error}", cure=cure) from None

    def _path(self, digest: str) -> Path:
        return self._blobs / hex_of(digest)

    @contextmanager
    def _writing(self, digest: str) -> Iterator[BinaryIO]:
        path = self._tmp / hex_of(digest)
        with _locked(path) as file:
            try:
                yield file
            finally:
                if _is_at(file, path):
                    path.unlink()

    def _keep(self, file: BinaryIO, digest: str) -> None:
        file.flush()
        os.fchmod(file.fileno(), 0o444)
        os.fsync(file.fileno())
        (self._tmp / hex_of(digest)).rename(self._path(digest))
        _sync_folder(self._blobs)

    def _check_space(self, descriptor: Descriptor) -> None:
        free = shutil.disk_usage(self._blobs).free
        if descriptor.size + _RESERVE > free:
            raise Unusable(
                f"{descriptor.digest}: {descriptor.size} bytes do not fit into {self._blobs} ({free} bytes free)",
                cure="free some space, or set WHERRY_CACHE to a folder elsewhere",
            )

    def _sweep(self) -> None:
        for path in self._tmp.iterdir():
            with suppress(OSError), path.open("rb+") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if _is_at(file, path):
                    path.unlink()


@contextmanager
def _locked(path: Path) -> Iterator[BinaryIO]:
    """The file at path, open and locked by us alone: a holder before us may have renamed or removed what we opened."""
    while True:
        with open(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "rb+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if _is_at(file, path):
                yield file
                return


def _is_at(file: BinaryIO, path: Path) -> bool:
    try:
        there = path.stat()
    except FileNotFoundError:
        return False
    here = os.fstat(file.fileno())
    return (here.st_dev, here.st_ino) == (there.st_dev, there.st_ino)


def _write(file: BinaryIO, data: bytes) -> None:
    file.seek(0)
    file.truncate()
    file.write(data)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
