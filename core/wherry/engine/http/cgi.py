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
    b"REMOTE_ADDR", b"REMOTE_PORT",
)  # fmt: skip
_PROTOCOLS = {"1.0": b"HTTP/1.0", "1.1": b"HTTP/1.1"}


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """Which variables a request has. Each is equal to itself alone, and so found quickly.

    fields: those whose values are variables, by their places in the head. more: values to be added: to which variable,
    behind what, of which field.
    """

    names: tuple[bytes, ...]
    fields: tuple[int, ...] = ()
    more: tuple[tuple[int, bytes, int], ...] = ()


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
    path, _, query = head.target.partition(b"?")
    if b"%" in path:
        path = unquote_to_bytes(path).replace(b"\0", b"")
    values = [head.method, head.target, path, query, _PROTOCOLS[head.version], _host_name(head.host), *peer]
    if length:
        values.append(b"%d" % length)
    fields = head.fields
    shape = _shape(tuple([name for name, _ in fields]), bool(length))
    values += [fields[place][1] for place in shape.fields]
    for variable, between, place in shape.more:
        values[variable] += between + fields[place][1]
    text = b"\0".join(values)
    return shape, text if text.isascii() else b"\0".join(map(_utf8, values))


@lru_cache(64)  # clients send the same few fields again and again
def _shape(fields: tuple[bytes, ...], sized: bool) -> Shape:
    names, places, more = [*_LINE, *([b"CONTENT_LENGTH"] if sized else [])], [], []
    for place, field in enumerate(fields):
        variable = _variable(field)
        if variable in names:
            more.append((names.index(variable), b"; " if field == b"cookie" else b", ", place))
        elif variable:
            names.append(variable)
            places.append(place)
    return Shape(tuple(names), tuple(places), tuple(more))


def _variable(field: bytes) -> bytes:
    """Where a field's value goes; empty for a field that has no place of its own."""
    if field == b"content-length" or b"_" in field or field in NOT_FOR_GUESTS:
        return b""
    variable = field.upper().replace(b"-", b"_")
    return variable if field == b"content-type" else b"HTTP_" + variable


@lru_cache(64)
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
