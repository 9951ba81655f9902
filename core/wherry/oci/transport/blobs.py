"""Blobs down and up: hashed and counted on the way, never whole in memory."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from typing import BinaryIO
from urllib.parse import urljoin

from wherry.oci.descriptor import Descriptor
from wherry.oci.store import Progress
from wherry.oci.transport import faults
from wherry.oci.transport.body import read_some
from wherry.oci.transport.client import Client, counted
from wherry.oci.transport.session import same_origin


def download(client: Client, url: str, descriptor: Descriptor, into: BinaryIO, progress: Progress) -> None:
    """One attempt: into holds exactly the descriptor's bytes afterwards."""
    into.seek(0)
    into.truncate()
    progress.total(client.where, descriptor.size)
    response = client.send("GET", url)
    announced = response.headers.get("Content-Length", "")
    if announced.isdecimal() and int(announced) < descriptor.size:
        response.close()
        raise faults.fault("digest", f"{client.where}: got {announced} bytes, expected {descriptor.size}")
    hashed = hashlib.sha256()
    for piece in counted(response, descriptor.size, client.where):
        hashed.update(piece)
        into.write(piece)
        progress.advance(len(piece))
    _check(into.tell(), f"sha256:{hashed.hexdigest()}", descriptor, client.where)


def _check(size: int, digest: str, descriptor: Descriptor, where: str) -> None:
    if size != descriptor.size:
        raise faults.fault("truncated", f"{where}: got {size} bytes, expected {descriptor.size}")
    if digest != descriptor.digest:
        raise faults.fault("digest", f"{where}: got bytes with the digest {digest}")


def exists(client: Client, url: str) -> bool:
    """One attempt at a HEAD."""
    response = client.send("HEAD", url, accept=(200, 404))
    read_some(response, 1)  # nothing comes, and the connection goes back to its pool
    return response.status_code == 200


def upload(client: Client, repository: str, descriptor: Descriptor, source: BinaryIO, progress: Progress) -> None:
    """One attempt: a session by POST, then everything in one PUT (distribution-spec §POST then PUT)."""
    session = _session(client, f"{repository}/blobs/uploads/")
    mark = "&" if "?" in session else "?"
    progress.total(client.where, descriptor.size)
    response = client.send(
        "PUT",
        f"{session}{mark}digest={descriptor.digest}",
        accept=(200, 201, 202, 204),
        headers={"Content-Type": "application/octet-stream"},
        data=Outgoing(source, descriptor.size, progress),
    )
    client.read_all(response)


def _session(client: Client, url: str) -> str:
    response = client.send("POST", url, accept=(201, 202))
    client.read_all(response)
    location = urljoin(url, response.headers.get("Location", ""))
    if location == url or not same_origin(url, location):
        raise faults.fault(
            "policy", f"{client.where}: sends the upload to {faults.place(location)[:120]!r}, another server"
        )
    return location


class Outgoing:
    """A file as a request's body: its length is known, what is read is told, and it can start again."""

    def __init__(self, source: BinaryIO, size: int, progress: Progress) -> None:
        self._source = source
        self._size = size
        self._progress = progress

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[bytes]:
        while piece := self.read(1 << 18):
            yield piece

    def read(self, size: int = -1) -> bytes:
        """The next bytes; never more than the length that was announced."""
        left = self._size - self._source.tell()
        piece = self._source.read(left if size < 0 else min(size, left))
        self._progress.advance(len(piece))
        return piece

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Back to the start, for the attempt after a challenge."""
        return self._source.seek(offset, whence)

    def tell(self) -> int:
        """Where the next read begins."""
        return self._source.tell()
