"""Answers a request over wasi:http; a POST is given back."""

from componentize_py_types import Err, Ok
from wit_world import exports
from wit_world.imports.streams import StreamError_Closed
from wit_world.imports.types import (
    Fields,
    IncomingRequest,
    Method_Post,
    OutgoingBody,
    OutgoingResponse,
    ResponseOutparam,
)

PIECE = 4096


class IncomingHandler(exports.IncomingHandler):
    def handle(self, request: IncomingRequest, response_out: ResponseOutparam) -> None:
        said = received(request) if isinstance(request.method(), Method_Post) else greeting(request)
        response = OutgoingResponse(Fields.from_list([("content-type", b"text/plain"), ("x-guest", b"python")]))
        body = response.body()
        ResponseOutparam.set(response_out, Ok(response))
        with body.write() as stream:
            for start in range(0, len(said), PIECE):
                stream.blocking_write_and_flush(said[start : start + PIECE])
        OutgoingBody.finish(body, None)


def greeting(request: IncomingRequest) -> bytes:
    return f"Hello from Python at {request.path_with_query()}\n".encode()


def received(request: IncomingRequest) -> bytes:
    pieces = []
    with request.consume() as body, body.stream() as stream:
        try:
            while True:
                pieces.append(stream.blocking_read(65536))
        except Err as end:
            if not isinstance(end.value, StreamError_Closed):
                raise
    return b"".join(pieces)
