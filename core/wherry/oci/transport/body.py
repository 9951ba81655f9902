"""Bodies, read piece by piece as they arrive: counted against a limit before they are kept."""

from __future__ import annotations

from collections.abc import Iterator

import requests
import urllib3

PIECE = 256 << 10


def pieces(response: requests.Response) -> Iterator[bytes]:
    """What has arrived, at most PIECE at a time, undecoded. Raises urllib3's errors.

    read1 and not read: a server that sends a byte now and then must not be able to hold a read until PIECE is full.
    """
    raw = response.raw
    assert isinstance(raw, urllib3.HTTPResponse)  # noqa: S101 - requests' raw is untyped
    while piece := raw.read1(PIECE, decode_content=False):
        yield piece


def read_some(response: requests.Response, limit: int) -> bytes:
    """The first `limit` bytes at most; the rest is not wanted."""
    found = bytearray()
    for piece in pieces(response):
        found += piece
        if len(found) >= limit:
            break
    return bytes(found[:limit])
