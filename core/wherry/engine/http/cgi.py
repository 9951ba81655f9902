"""A preview-1 module as a CGI program: its environment, and the head that it writes (RFC 3875). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote_to_bytes

from wherry.engine.http.head import NOT_FOR_GUESTS, RequestHead
from wherry.engine.http.reply import MAX_RESPONSE_HEAD, BadResponse, ResponseHead, lines_of, response_head

SOFTWARE = b"wherry"

_LINE = (
    b"REQUEST_METHOD", b"REQUEST_URI", b"PATH_INFO", b"QUERY_STRING", b"SERVER_PROTOCOL", b"SERVER_NAME",
)  # fmt: skip
_PEER = (b"REMOTE_ADDR", b"REMOTE_PORT")
_PROTOCOLS = {"1.0": b"HTTP/1.0", "1.1": b"HTTP/1.1"}


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """Which variables a request has. Each is equal to itself alone, and so found quickly.

    more: texts to be added: to which one, behind what, which one. gone: those that are no variable's, last first.
    """

    names: tuple[bytes, ...]
    more: tuple[tuple[int, bytes, int], ...] = ()
    gone: tuple[int, ...] = ()


def constant(port: int) -> tuple[tuple[bytes, bytes], ...]:
    """Names and values that every request has. port: ours."""
    return (
        (b"GATEWAY_INTERFACE", b"CGI/1.1"),
        (b"SERVER_SOFTWARE", SOFTWARE),
        (b"SERVER_PORT", b"%d" % port),
        (b"SCRIPT_NAME", b""),
    )


def environment(head: RequestHead, peer: tuple[bytes, bytes], length: int | None) -> tuple[Shape, bytes]:
    """The request's meta-variables (RFC 3875 §4.1) without the constant ones: their values, a NUL between each two.

    peer: the client's address and port. length: of the body, None when it is not known before its end. Values are
    UTF-8: what is not, is taken for Latin-1. Fields with `_` in their name are dropped, because they could pass for
    another field's.
    """
    names, texts = [], [_line(head.method, head.target, head.version, head.host), *peer]
    for name, value in head.fields:  # a loop takes half the time of two comprehensions
        names.append(name)
        texts.append(value)
    if length:
        texts.append(b"%d" % length)
    shape = _shape(tuple(names), bool(length))
    for place, between, other in shape.more:
        texts[place] += between + texts[other]
    for place in shape.gone:
        del texts[place]
    text = b"\0".join(texts)
    return shape, text if text.isascii() else b"\0".join(map(_utf8, texts))


@lru_cache(64)  # clients ask for the same things again and again
def _line(method: bytes, target: bytes, version: str, host: bytes) -> bytes:
    """The values of _LINE."""
    path, _, query = target.partition(b"?")
    if b"%" in path:
        path = unquote_to_bytes(path).replace(b"\0", b"")
    values = (method, target, path, query, _PROTOCOLS[version], _host_name(host))
    text = b"\0".join(values)
    return text if text.isascii() else b"\0".join(map(_utf8, values))


@lru_cache(64)  # clients send the same few fields again and again
def _shape(fields: tuple[bytes, ...], sized: bool) -> Shape:
    places: dict[bytes, int] = {}  # of the variables, in the order of their texts
    more, gone = [], []
    for place, field in enumerate(fields, 1 + len(_PEER)):
        variable = _variable(field)
        if variable in places:
            more.append((places[variable], b"; " if field == b"cookie" else b", ", place))
        elif variable:
            places[variable] = place
            continue
        gone.append(place)
    sizes = (b"CONTENT_LENGTH",) if sized else ()
    return Shape((*_LINE, *_PEER, *places, *sizes), tuple(more), tuple(reversed(gone)))


def _variable(field: bytes) -> bytes:
    """Where a field's value goes; empty for a field that has no place of its own."""
    if field == b"content-length" or b"_" in field or field in NOT_FOR_GUESTS:
        return b""
    variable = field.upper().replace(b"-", b"_")
    return variable if field == b"content-type" else b"HTTP_" + variable


def _host_name(host: bytes) -> bytes:
    if host.startswith(b"["):
        return host.partition(b"]")[0] + b"]"
    return host.partition(b":")[0]


def _utf8(text: bytes) -> bytes:
    try:
        text.decode()
    except UnicodeDecodeError:
        return text.decode("latin-1").encode()
    return text


def parse_head(output: bytes | bytearray, /) -> tuple[ResponseHead, int] | None:
    """The head at the start of what the guest wrote, and where its body begins; None while it is not whole.

    The head ends at the first empty line; line ends are LF or CRLF. `Location` without a status is a 302. BadResponse
    when it cannot be one (RFC 3875 §6).
    """
    end, body = _empty_line(output)
    if end < 0:
        if len(output) > MAX_RESPONSE_HEAD:
            raise BadResponse(f"no empty line in the first {MAX_RESPONSE_HEAD} bytes of output")
        return None
    status, pairs, cgi = b"", [], False
    for line in lines_of(bytes(output[:end]).removesuffix(b"\r")):
        name, colon, value = line.partition(b":")
        if not colon:
            raise BadResponse(f"a line of the response head has no colon: {line[:60]!r}")
        value = value.strip(b" \t")
        lower = name.lower()
        if lower == b"status":
            status = value[:3]
            cgi = True
            continue
        cgi = cgi or lower in (b"content-type", b"location")
        if lower == b"location" and not status:
            status = b"302"
        pairs.append((name, value))
    if not cgi:
        raise BadResponse("the response head has none of Content-Type, Location and Status")
    return response_head(status or b"200", pairs), body


def _empty_line(output: bytes | bytearray) -> tuple[int, int]:
    """Where the head ends and where the body begins; -1 when there is no empty line yet."""
    bare = output.find(b"\n\n")
    full = output.find(b"\n\r\n")
    if full >= 0 and (bare < 0 or full < bare):
        return full, full + 3
    return bare, bare + 2
