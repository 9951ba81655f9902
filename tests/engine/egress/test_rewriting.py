"""Whatever is sent, what goes on means the same to the next reader: messages are parsed, written and parsed again."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from wherry.engine.egress.failure import ClientGone, Failure
from wherry.engine.egress.message import Fields, Request, Response, chunk, last_chunk

GOOD = [b"Accept: a", b"X-A: b", b"X-A:\xff", b"Host: c", b"Connection: x-a", b"TE: trailers", b"X-A:"]
FRAMING = [b"Content-Length: 0", b"Content-Length: 2", b"Transfer-Encoding: chunked", b"Transfer-Encoding: x, chunked"]
BAD = [b"Content-Length: 2, 2", b"X\tB: a", b"X : a", b"X: a\rb", b"X: a\nY: b", b"X: a\r\n b", b"X: a\0"]
CHUNKS = b"2\r\nhi\r\n0\r\n"
BODIES = [b"", b"hi", CHUNKS + b"\r\n", CHUNKS + b"X-T: 1\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n"]
REQUESTS = [b"POST /a HTTP/1.1", b"PUT /a?b=c HTTP/1.1", b"GET /a HTTP/1.0", b"GET /a b HTTP/1.1"]
RESPONSES = [b"HTTP/1.1 200 OK", b"HTTP/1.1 204 -", b"HTTP/1.1 304 -", b"HTTP/1.0 200 OK", b"HTTP/1.1 103 -"]


@st.composite
def messages(draw: st.DrawFn, first: list[bytes]) -> bytes:
    """A head that is often good, with a body that often fits."""
    good, framing, bad = (draw(st.lists(st.sampled_from(lines), max_size=2)) for lines in (GOOD, FRAMING, BAD))
    fields = draw(st.permutations(good + framing[:1] + draw(st.sampled_from([[], [], framing + bad]))))
    end = draw(st.sampled_from([b"\r\n"] * 4 + [b"\n"]))
    return end.join([draw(st.sampled_from(first)), *fields, b"", b""]) + draw(st.sampled_from(BODIES))


async def request_of(data: bytes) -> Request:
    request = Request(fed(data))
    await request.read_head()
    return request


async def response_of(data: bytes) -> Response:
    response = Response(fed(data), bodiless=False)
    await response.read_head()
    return response


def fed(data: bytes) -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    return reader


async def body_of(message: Request | Response) -> bytes:
    return b"".join([piece async for piece in message.body()])


def framed(body: bytes, trailers: Fields, *, chunked: bool) -> bytes:
    return (chunk(body) if body else b"") + last_chunk(trailers) if chunked else body


@given(
    messages(
        [b"POST /a HTTP/1.1", b"GET /a?b=c HTTP/1.1", b"GET /a HTTP/1.0", b"GET /a b HTTP/1.1", b"GE T / HTTP/1.1"]
    )
)
def test_a_request_that_goes_on_is_read_alike_by_the_next(data: bytes) -> None:
    async def test() -> None:
        try:
            request = await request_of(data)
            body = await body_of(request)
        except (Failure, ClientGone):
            return
        sent = request.head_for(b"origin.example") + framed(body, request.trailers, chunked=request.chunked)
        again = await request_of(sent)
        assert (again.method, again.target) == (request.method, request.target)
        assert again.end_to_end() == request.end_to_end()
        assert (await body_of(again), again.trailers) == (body, request.trailers)
        assert again.values(b"host") == [b"origin.example"]

    asyncio.run(test())


@given(
    messages([b"HTTP/1.1 200 OK", b"HTTP/1.1 204 -", b"HTTP/1.1 304 -", b"HTTP/1.0 200 OK", b"HTTP/1.1 103 -", b"HTP"])
)
def test_a_response_that_comes_back_is_read_alike_by_the_guests_side(data: bytes) -> None:
    async def test() -> None:
        try:
            response = await response_of(data)
            head, chunked = response.head_for_guest()
            body = await body_of(response)
        except (Failure, ClientGone):
            return
        again = await response_of(head + framed(body, response.trailers, chunked=chunked))
        assert again.status == response.status
        assert again.end_to_end() == response.end_to_end()
        assert (await body_of(again), again.trailers) == (body, response.trailers)

    asyncio.run(test())
