"""What to answer to bytes that are no acceptable request. Pure."""

from __future__ import annotations

import httptools

from wherry.engine.http.head import MAX_FIELDS, MAX_HEAD, Fields, Refused
from wherry.engine.http.reply import Framing, plain, wire_head

NOTHING = Refused(0, "")
"""Say nothing, and read no more."""


def check_size(target: bytes, fields: Fields) -> None:
    """Raises Refused when a head is too large."""
    size = len(target) + sum(len(name) + len(value) for name, value in fields)
    if size > MAX_HEAD or len(fields) > MAX_FIELDS:
        raise too_large()


def too_large() -> Refused:
    return Refused(431, f"the request head is larger than {MAX_HEAD} bytes or {MAX_FIELDS} fields")


def refusal_of(error: Exception, data: bytes) -> Refused:
    """For what the parser, or one of our callbacks, did not accept. data: the bytes of the read that it happened in."""
    if isinstance(error.__context__, Refused):
        return error.__context__
    if isinstance(error, httptools.HttpParserUpgrade):
        return Refused(501, "Upgrade is not served")
    if data.startswith(b"PRI * HTTP/2"):
        return Refused(505, "HTTP/2 is not served, only HTTP/1.1")
    if "`Connection: close`" in str(error):
        return NOTHING
    return Refused(400, f"malformed request: {error}")


def wire_refusal(refusal: Refused, date: bytes) -> bytes:
    """The whole answer; empty for NOTHING."""
    if not refusal.status:
        return b""
    head, body = plain(refusal.status, refusal.reason)
    return wire_head(head, Framing.LENGTH, len(body), date=date, extra=b"connection: close\r\n") + body
