"""A response's head, from what a guest said to bytes of the wire. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.utils import formatdate
from enum import Enum
from http import HTTPStatus

from wherry.engine.http.head import Fields

MAX_RESPONSE_HEAD = 64 << 10

STATUS_LINES = {int(status): b"HTTP/1.1 %d %s\r\n" % (status, status.phrase.encode()) for status in HTTPStatus}
NO_BODY = frozenset({204, 304})

_CONTROL = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]")
_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
KNOWN_NAMES = 256
_known: dict[bytes, bytes] = {}
"""Names that were checked before, in lower case: a guest uses few, again and again."""

_OURS = frozenset({b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade", b"te"})
_SPECIAL = _OURS | {b"content-length", b"date", b"x-request-id"}


class BadResponse(Exception):
    """What a guest wrote is no response: one phrase that says why."""


@dataclass(slots=True)
class ResponseHead:
    """status: 200 to 599. fields: names in lower case, without those that are the connection's own business.

    length: the guest's Content-Length. dated, identified: it has its own Date, its own X-Request-Id.
    """

    status: int
    fields: Fields
    length: int | None = None
    dated: bool = False
    identified: bool = False


class Framing(Enum):
    """How a response's end is told (RFC 9112 §6.3)."""

    NONE = "none"
    LENGTH = "length"
    CHUNKED = "chunked"
    CLOSE = "close"


def lines_of(head: bytes) -> list[bytes]:
    """The lines of a head whose line ends are LF or CRLF; BadResponse when there is any other control character."""
    if b"\r" in head:
        head = head.replace(b"\r\n", b"\n")
    if _CONTROL.search(head):
        raise BadResponse("a control character in the response head")
    return head.split(b"\n")


def response_head(status: bytes, pairs: Fields) -> ResponseHead:
    """A checked head. BadResponse for a wrong status, a wrong name or an ambiguous Content-Length."""
    if len(status) != 3 or not status.isdigit() or not b"200" <= status <= b"599":
        raise BadResponse(f"the status is {status[:20]!r}, not one from 200 to 599")
    head = ResponseHead(int(status), [])
    for given, value in pairs:
        name = _known.get(given) or _name(given)
        if name not in _SPECIAL:
            head.fields.append((name, value))
        elif name == b"content-length":
            _set_length(head, value)
        elif name not in _OURS:
            head.dated = head.dated or name == b"date"
            head.identified = head.identified or name == b"x-request-id"
            head.fields.append((name, value))
    return head


def _name(given: bytes) -> bytes:
    if not _NAME.fullmatch(given):
        raise BadResponse(f"a field is named {given[:40]!r}")
    if len(_known) < KNOWN_NAMES:
        _known[given] = given.lower()
    return given.lower()


def _set_length(head: ResponseHead, value: bytes) -> None:
    if not value.isdigit() or len(value) > 18:
        raise BadResponse(f"the Content-Length is {value[:40]!r}")
    if head.length not in (None, int(value)):
        raise BadResponse("two different Content-Length fields")
    head.length = int(value)


def framing_of(head: ResponseHead, method: bytes, version: str, body: int | None) -> Framing:
    """How the body is delimited. body: its bytes, None while it is still being written."""
    if method == b"HEAD" or head.status in NO_BODY:
        return Framing.NONE
    if head.length is not None or body is not None:
        return Framing.LENGTH
    return Framing.CHUNKED if version == "1.1" else Framing.CLOSE


def wire_head(head: ResponseHead, framing: Framing, body: int | None, *, date: bytes, extra: bytes) -> bytes:
    """Status line and fields up to the empty line. body: the length when it is known and the guest gave none.

    extra: whole lines that the connection adds. A 204 never has a Content-Length (RFC 9110 §8.6).
    """
    parts = [STATUS_LINES.get(head.status) or b"HTTP/1.1 %d \r\n" % head.status]
    parts += [b"%s: %s\r\n" % field for field in head.fields]
    length = body if head.length is None else head.length
    if length is not None and head.status != 204:
        parts.append(b"content-length: %d\r\n" % length)
    if framing is Framing.CHUNKED:
        parts.append(b"transfer-encoding: chunked\r\n")
    if not head.dated:
        parts.append(date)
    parts.append(extra)
    parts.append(b"\r\n")
    return b"".join(parts)


def plain(status: int, reason: str) -> tuple[ResponseHead, bytes]:
    """A short answer of our own, with nothing of the inside in it."""
    fields = [(b"content-type", b"text/plain; charset=utf-8")]
    if status == 503:
        fields.append((b"retry-after", b"1"))
    return ResponseHead(status, fields), f"{reason}\n".encode()


def trailer_lines(pairs: Fields) -> bytes:
    """A trailer section, without the empty line that ends it. A field with a wrong name or value is left out."""
    good = (
        (name.lower(), value) for name, value in pairs if _NAME.fullmatch(name) and not _CONTROL.search(value + b"\t")
    )
    return b"".join(b"%s: %s\r\n" % field for field in good if field[0] not in _OURS and b"\n" not in field[1])


def date_line(now: float) -> bytes:
    """The Date field of a moment in seconds since the epoch (RFC 9110 §6.6.1)."""
    return b"date: %s\r\n" % formatdate(now, usegmt=True).encode()
