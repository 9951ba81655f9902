"""HTTP requests and response heads, nearly right: each is accepted or refused with one of our errors.

python -m tests.fuzz.heads --seconds 60 --seed 1
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import httptools

from tests.fuzz.campaign import campaign
from tests.fuzz.mutation import mutations
from tests.http.test_cgi import BAD, GOOD
from tests.http.test_malformed import BROKEN_BODIES, CASES, CHUNKED, GET, POST
from wherry.engine.http import cgi, control
from wherry.engine.http.head import Fields, Refused, RequestHead, checked
from wherry.engine.http.reply import BadResponse, Framing, ResponseHead, framing_of, wire_head


def requests(seed: int) -> Iterator[bytes]:
    plain = [GET + b"A: b\r\nCookie: c\r\n\r\n", POST + CHUNKED + b"\r\n5\r\nhello\r\n0\r\nT: u\r\n\r\n"]
    broken = [POST + CHUNKED + b"\r\n" + body for body in BROKEN_BODIES.values()]
    return mutations(plain * 20 + broken + [wire for _, wire in CASES.values()], seed)


def responses(seed: int) -> Iterator[bytes]:
    heads = [output for output, _, _ in GOOD.values()] + [*BAD.values()]
    texts = [b"200\ncontent-type\ntext/plain", b"0\nDNS-error", b"204", b"200\na\n1\na\n2"]
    return mutations(heads + [len(text).to_bytes(4, "little") + text + b"body" for text in texts], seed)


class Reader:
    """httptools' callbacks, as a connection has them."""

    def __init__(self) -> None:
        self.parser = httptools.HttpRequestParser(self)
        self.heads: list[RequestHead] = []
        self._target, self._fields = b"", Fields()

    def on_message_begin(self) -> None:
        self._target, self._fields = b"", []

    def on_url(self, target: bytes) -> None:
        self._target += target

    def on_header(self, name: bytes, value: bytes) -> None:
        self._fields.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        method, version = self.parser.get_method(), self.parser.get_http_version()
        self.heads.append(checked(method, self._target, version, self._fields, keep_alive=True, max_body=1 << 30))
        self._fields = []


def run_request(data: bytes) -> None:
    """Raises what no reader may raise, and AssertionError for a head that a guest must not see."""
    reader = Reader()
    with suppress(httptools.HttpParserError, httptools.HttpParserUpgrade, Refused):
        reader.parser.feed_data(data)
    for head in reader.heads:
        assert head.target[:1] == b"/" or head.target == b"*"
        assert head.host or head.version == "1.0"
        shape, values = cgi.environment(head, (b"127.0.0.1", b"1"), head.length)
        assert len(shape.names) == len(set(shape.names)) == values.count(b"\0") + 1
        assert b"\n" not in values
        assert b"HTTP_PROXY" not in shape.names
        text = control.request_head(head, b"-", [], b"a").decode()
        assert text.count("\n") == 4 + 2 * len(head.for_guest())


def run_response(data: bytes) -> None:
    """Raises what no parser may raise, and AssertionError for a head that would split a message."""
    for parse in (cgi.parse_head, control.parse_head):
        with suppress(BadResponse):
            if (found := parse(data)) is not None:
                _check(*found)


def _check(head: ResponseHead, start: int) -> None:
    assert start > 0
    framing = framing_of(head, b"GET", "1.1", None)
    assert framing is not Framing.CLOSE
    wire = wire_head(head, framing, None, date=b"", extra=b"")
    assert wire.count(b"\r\n\r\n") == 1
    assert wire.count(b"\n") == wire.count(b"\r\n") == wire.count(b"\r")


if __name__ == "__main__":
    campaign(__doc__, lambda seed: [(run_request, requests(seed)), (run_response, responses(seed))])
