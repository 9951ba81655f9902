"""The control protocol between the adapter component and the worker (`../adapter/README.md`). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from wherry.engine.http.head import Fields, RequestHead
from wherry.engine.http.reply import MAX_RESPONSE_HEAD, BadResponse, ResponseHead, lines_of, response_head

NO_BODY, WHOLE, STREAMED = b"-", b"b", b"s"
ERROR_STATUS = b"0"

_STATUS = re.compile(rb"(?:0|[2-5][0-9][0-9])(?:\n|\Z)")


def request_head(head: RequestHead, mode: bytes, trailers: Fields, authority: bytes) -> bytes:
    """The argument of `prepare`. authority: what to say when the request has no Host field. UTF-8 of Latin-1."""
    lines = [head.method, head.target, b"http", head.host or authority, mode]
    for field in head.for_guest():
        lines += field
    if trailers:
        lines.append(b"")
        for field in trailers:
            lines += field
    return _utf8(b"\n".join(lines))


def trailer_text(trailers: Fields) -> bytes:
    """What the host import `trailers` answers."""
    return _utf8(b"\n".join(part for field in trailers for part in field))


def parse_head(output: bytes | bytearray, /) -> tuple[ResponseHead, int] | None:
    """The head at the start of stdout, and where the body begins; None while there is none.

    Bytes that cannot be a head are body whose head comes by the import `respond`, sooner or later: None as well.
    BadResponse when the guest's handler gave an error code, or a field that is not fit for HTTP.
    """
    if len(output) < 4:
        return None
    end = 4 + int.from_bytes(output[:4], "little")
    if end > MAX_RESPONSE_HEAD or len(output) < end or not _STATUS.match(output, 4, end):
        return None
    return parse_given(bytes(output[4:end])), end


def parse_given(text: bytes) -> ResponseHead:
    """A head without its length, as `respond` gives it. Raises BadResponse."""
    status, *rest = lines_of(text)
    if status == ERROR_STATUS:
        raise BadResponse(f"the handler gave the error {b' '.join(rest[:1]).decode(errors='replace')}")
    return response_head(status, _pairs(rest))


def parse_trailers(result: bytes) -> Fields:
    """Names and values of the response's trailers, from what `trailers` returned. Raises BadResponse."""
    if not result:
        return []
    return _pairs(result.decode().encode("latin-1", errors="replace").split(b"\n"))


def _utf8(text: bytes) -> bytes:
    return text if text.isascii() else text.decode("latin-1").encode()


def _pairs(lines: Iterable[bytes]) -> Fields:
    flat = list(lines)
    if len(flat) % 2:
        raise BadResponse("a line break in a response field")
    return list(zip(flat[::2], flat[1::2], strict=True))
