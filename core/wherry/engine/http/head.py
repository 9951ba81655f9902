"""A request's head: what is let through to a guest, and what is refused first. Pure.

llhttp has already refused what breaks the grammar of RFC 9112. Here is what it lets pass and a guest must never see.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_HEAD = 32 << 10
"""Bytes of target, names and values together."""

MAX_FIELDS = 128

Fields = list[tuple[bytes, bytes]]
"""Names in lower case and values, in the order of the message."""

_HOST = re.compile(rb"[A-Za-z0-9._~%!$&'()*+,;=:\[\]-]+")
_REQUEST_ID = re.compile(rb"[!-~]{1,128}")
_METHODS = frozenset(
    b"GET HEAD POST PUT PATCH DELETE OPTIONS TRACE PROPFIND PROPPATCH MKCOL COPY MOVE LOCK UNLOCK SEARCH REPORT "
    b"BIND REBIND UNBIND ACL MERGE LINK UNLINK PURGE CHECKOUT MKACTIVITY MKCALENDAR NOTIFY SUBSCRIBE UNSUBSCRIBE "
    b"M-SEARCH QUERY".split()
)
_WEIGHED = frozenset(
    {b"host", b"content-length", b"transfer-encoding", b"expect", b"upgrade", b"content-type", b"x-request-id"}
)
_HOP_BY_HOP = frozenset({b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"te", b"expect"})
NOT_FOR_GUESTS = frozenset({b"proxy"}) | _HOP_BY_HOP


class Refused(Exception):
    """A request that is answered without a guest. status: HTTP's; reason: one sentence for the client."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


@dataclass(slots=True)
class RequestHead:
    """fields: all of the message's; host: of the Host field, empty in HTTP/1.0 without one.

    length: the body's bytes; None is unknown until it ends (chunked). request_id: the client's, or empty.
    """

    method: bytes
    target: bytes
    version: str
    fields: Fields
    host: bytes
    length: int | None
    expects_continue: bool
    request_id: bytes
    keep_alive: bool

    def for_guest(self) -> Fields:
        """What a guest sees: no hop-by-hop fields, and no `Proxy`, which would become HTTP_PROXY."""
        return [field for field in self.fields if field[0] not in NOT_FOR_GUESTS]

    def identify(self, request_id: bytes) -> None:
        """Name a request that its client did not name."""
        self.request_id = request_id
        self.fields.append((b"x-request-id", request_id))


def checked(  # noqa: PLR0913 - a request line has three parts
    method: bytes, target: bytes, version: str, fields: Fields, *, keep_alive: bool, max_body: int | None
) -> RequestHead:
    """The head of an acceptable request; raises Refused otherwise (RFC 9112 §3.2, §6.1, §6.3; RFC 9110 §10.1.1)."""
    _check_line(method, target, version)
    seen: dict[bytes, bytes] = {}
    for name, value in fields:
        if name in _WEIGHED:
            if name in seen and name != b"x-request-id":
                raise Refused(400, f"more than one {name.decode()} field")
            seen[name] = value
    host = _host(seen, version)
    length = _length(seen, version, max_body)
    if seen.keys() & {b"upgrade", b"expect", b"content-type"}:
        _refuse_other_protocols(seen)
    request_id = seen.get(b"x-request-id", b"")
    if request_id and not _REQUEST_ID.fullmatch(request_id):
        request_id = b""
        fields = [field for field in fields if field[0] != b"x-request-id"]
    return RequestHead(
        method=method,
        target=target,
        version=version,
        fields=fields,
        host=host,
        length=length,
        expects_continue=b"expect" in seen and version == "1.1",
        request_id=request_id,
        keep_alive=keep_alive,
    )


def _check_line(method: bytes, target: bytes, version: str) -> None:
    if version not in ("1.1", "1.0"):
        raise Refused(505, "only HTTP/1.1 and HTTP/1.0 are served")
    if method == b"CONNECT":
        raise Refused(501, "CONNECT is not served")
    if method not in _METHODS:
        raise Refused(501, "this method is not served")
    if target[:1] != b"/" and not (target == b"*" and method == b"OPTIONS"):
        raise Refused(400, "the request target must be an absolute path")
    if b"#" in target:
        raise Refused(400, "the request target has a fragment")


def _host(seen: dict[bytes, bytes], version: str) -> bytes:
    host = seen.get(b"host")
    if host is None:
        if version == "1.0":
            return b""
        raise Refused(400, "no Host field")
    if not _HOST.fullmatch(host):
        raise Refused(400, "the Host field names no host")
    return host


def _length(seen: dict[bytes, bytes], version: str, max_body: int | None) -> int | None:
    coding = seen.get(b"transfer-encoding")
    if coding is not None:
        if version == "1.0":
            raise Refused(400, "HTTP/1.0 has no Transfer-Encoding")
        if coding.lower() != b"chunked":
            raise Refused(501, "the only Transfer-Encoding served is chunked")
        return None
    length = int(seen.get(b"content-length", b"0"))
    if max_body is not None and length > max_body:
        raise Refused(413, f"the body is larger than {max_body} bytes")
    return length


def _refuse_other_protocols(seen: dict[bytes, bytes]) -> None:
    upgrade = seen.get(b"upgrade", b"").lower()
    if upgrade.startswith(b"h2c"):
        raise Refused(501, "HTTP/2 (h2c) is not served, only HTTP/1.1")
    if upgrade:
        raise Refused(501, "Upgrade is not served")
    if seen.get(b"content-type", b"").lower().startswith(b"application/grpc"):
        raise Refused(501, "gRPC is not served: it needs HTTP/2")
    if seen.get(b"expect", b"100-continue").lower() != b"100-continue":
        raise Refused(417, "the only expectation served is 100-continue")
