"""A preview-1 module as a CGI program: its environment, and the head that it writes (RFC 3875). Pure."""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import unquote_to_bytes

from wherry.engine.http.head import RequestHead
from wherry.engine.http.reply import MAX_RESPONSE_HEAD, BadResponse, ResponseHead, lines_of, response_head

SOFTWARE = b"wherry"

CONSTANT = (
    (b"GATEWAY_INTERFACE", b"CGI/1.1"),
    (b"SERVER_SOFTWARE", SOFTWARE),
    (b"SCRIPT_NAME", b""),
)
_PROTOCOLS = {"1.0": b"HTTP/1.0", "1.1": b"HTTP/1.1"}


def environment(
    head: RequestHead, peer: tuple[bytes, bytes], port: bytes, length: int | None
) -> tuple[tuple[bytes, ...], list[bytes]]:
    """Names and values of the request's meta-variables (RFC 3875 §4.1), without those in CONSTANT.

    peer: the client's address and port. port: ours. length: of the body, None when it is not known before its end.
    Values are UTF-8: what is not, is taken for Latin-1. Fields with `_` in their name are dropped, because they could
    pass for another field's.
    """
    path, _, query = head.target.partition(b"?")
    values = {
        b"REQUEST_METHOD": head.method,
        b"REQUEST_URI": head.target,
        b"PATH_INFO": unquote_to_bytes(path).replace(b"\0", b"") if b"%" in path else path,
        b"QUERY_STRING": query,
        b"SERVER_PROTOCOL": _PROTOCOLS[head.version],
        b"SERVER_NAME": _host_name(head.host),
        b"SERVER_PORT": port,
        b"REMOTE_ADDR": peer[0],
        b"REMOTE_PORT": peer[1],
    }
    if length:
        values[b"CONTENT_LENGTH"] = b"%d" % length
    _add_fields(values, head)
    names = tuple(values)
    texts = list(values.values())
    if not b"".join(texts).isascii():
        texts = [_utf8(text) for text in texts]
    return names, texts


def _add_fields(values: dict[bytes, bytes], head: RequestHead) -> None:
    for name, value in head.for_guest():
        key = _variable(name)
        if key in values:
            values[key] += (b"; " if name == b"cookie" else b", ") + value
        elif key:
            values[key] = value


@lru_cache(256)  # clients send the same few names again and again
def _variable(name: bytes) -> bytes:
    """Where a field's value goes; empty for a field that has no place of its own."""
    if name == b"content-length" or b"_" in name:
        return b""
    variable = name.upper().replace(b"-", b"_")
    return variable if name == b"content-type" else b"HTTP_" + variable


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
