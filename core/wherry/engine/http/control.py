"""The control protocol between the adapter component and the worker (`../adapter/README.md`). Pure."""

from __future__ import annotations

from collections.abc import Iterable

from wherry.engine.http.head import Fields, RequestHead
from wherry.engine.http.reply import MAX_RESPONSE_HEAD, BadResponse, ResponseHead, lines_of, response_head

NO_BODY, WHOLE, STREAMED = b"-", b"b", b"s"
ERROR_STATUS = b"0"


def request_head(head: RequestHead, mode: bytes, trailers: Fields, authority: bytes) -> bytes:
    """The argument of `run`. authority: what to say when the request has no Host field. UTF-8."""
    lines = [head.method, head.target, b"http", head.host or authority, mode]
    for field in head.for_guest():
        lines += field
    if trailers:
        lines.append(b"")
        for field in trailers:
            lines += field
    text = b"\n".join(lines)
    return text if text.isascii() else text.decode("latin-1").encode()


def trailer_text(trailers: Fields) -> bytes:
    """What the host import `trailers` answers."""
    return b"\n".join(part for field in trailers for part in field).decode("latin-1").encode()


def parse_head(output: bytes | bytearray, /) -> tuple[ResponseHead, int] | None:
    """The head at the start of the adapter's output, and where the body begins; None while it is not whole.

    BadResponse when it cannot be one, or when the guest's handler gave an error code instead.
    """
    if len(output) < 4:
        return None
    end = 4 + int.from_bytes(output[:4], "little")
    if end > MAX_RESPONSE_HEAD:
        raise BadResponse(f"the response head has more than {MAX_RESPONSE_HEAD} bytes")
    if len(output) < end:
        return None
    status, *rest = lines_of(bytes(output[4:end]))
    if status == ERROR_STATUS:
        raise BadResponse(
            f"the handler gave the error {rest[0].decode(errors='replace') if rest else 'internal-error'}"
        )
    return response_head(status, _pairs(rest)), end


def parse_trailers(result: bytes) -> Fields:
    """Names and values of the response's trailers, from the result of `run`."""
    if not result:
        return []
    return _pairs(result.decode().encode("latin-1", errors="replace").split(b"\n"))


def _pairs(lines: Iterable[bytes]) -> Fields:
    flat = list(lines)
    if len(flat) % 2:
        raise BadResponse("a line break in a response field")
    return list(zip(flat[::2], flat[1::2], strict=True))
