"""Conversations of ttrpc, nearly right: each frame is a call, an answer or a refusal, or the peer speaks no ttrpc.

python -m tests.fuzz.ttrpc --seconds 60 --seed 1
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from google.protobuf.message import DecodeError

from tests.fuzz.campaign import campaign
from tests.fuzz.mutation import mutations
from wherry_shim.proto import events_pb2, task_pb2
from wherry_shim.proto.forward_pb2 import ForwardRequest
from wherry_shim.proto.services import EVENTS_SERVICE, TASK_SERVICES
from wherry_shim.proto.ttrpc_pb2 import Request, Response, Status
from wherry_shim.proto.typeurl import packed
from wherry_shim.ttrpc.connection import Answer, Call, ClientConnection, Refusal, ServerConnection
from wherry_shim.ttrpc.frames import HEADER, MAX_DATA, NotTtrpc

REQUESTS = {
    "Create": task_pb2.CreateTaskRequest(id="a1", bundle="/b", options=packed(task_pb2.StateRequest(id="x"))),
    "Kill": task_pb2.KillRequest(id="a1", signal=15, all=True),
    "Update": task_pb2.UpdateTaskRequest(id="a1", annotations={"k": "v"}),
}
EVENT = ForwardRequest()
EVENT.envelope.topic = "/tasks/exit"
EVENT.envelope.event.CopyFrom(packed(events_pb2.TaskExit(container_id="a1")))


def frame(stream: int, kind: int, data: bytes, flags: int = 0) -> bytes:
    return HEADER.pack(len(data), stream, kind, flags) + data


def to_servers(seed: int) -> Iterator[bytes]:
    requests = [
        Request(service=TASK_SERVICES[0], method=method, payload=message.SerializeToString(), timeout_nano=5)
        for method, message in REQUESTS.items()
    ]
    requests.append(Request(service=EVENTS_SERVICE, method="Forward", payload=EVENT.SerializeToString()))
    calls = [frame(1 + 2 * place, 1, request.SerializeToString()) for place, request in enumerate(requests)]
    strange = [frame(1, 1, b"", 2) + frame(1, 3, b"x") + frame(1, 3, b"", 5), frame(2, 1, b""), frame(9, 9, b"?")]
    too_long = [HEADER.pack(MAX_DATA + 1 + extra, 1, 1, 0) for extra in (0, 1 << 20)]
    return mutations([*calls, b"".join(calls), *strange, *too_long], seed)


def to_clients(seed: int) -> Iterator[bytes]:
    responses = [Response(payload=b"ok"), Response(status=Status(code=5, message="gone")), Response()]
    answers = [frame(1 + 2 * place, 2, response.SerializeToString()) for place, response in enumerate(responses)]
    return mutations([*answers, b"".join(answers), frame(3, 3, b"x"), frame(5, 2, b"\xff")], seed)


def run_server(data: bytes) -> Literal["goes on", "ended"]:
    """What became of the connection. Raises what none may raise, and AssertionError for an answer that is no frame."""
    whole, halves = ServerConnection(), ServerConnection()
    events = heard(whole, [data])
    assert [repr(event) for event in events] == [repr(event) for event in heard(halves, cut(data))]
    for event in events:
        if isinstance(event, Call):
            check_payload(event)
            check_frame(event.stream, whole.answer(event.stream, b"ok"))
        elif isinstance(event, Refusal):
            check_frame(event.stream, event.answer)
    return "ended" if events and isinstance(events[-1], str) else "goes on"


def run_client(data: bytes) -> list[int]:
    """The streams that were answered. Raises what no connection may raise."""
    whole, halves = ClientConnection(), ClientConnection()
    for client in (whole, halves) * 3:
        client.call("s", "m", b"")
    answers = heard(whole, [data])
    assert [repr(answer) for answer in answers] == [repr(answer) for answer in heard(halves, cut(data))]
    streams = [answer.stream for answer in answers if isinstance(answer, Answer)]
    assert len(set(streams)) == len(streams)
    assert set(streams) <= {1, 3, 5}
    return streams


def heard(end: ServerConnection | ClientConnection, pieces: list[bytes]) -> list[object]:
    """Events, and last what ended the connection."""
    events: list[object] = []
    try:
        for piece in pieces:
            events.extend(end.receive(piece))
    except NotTtrpc as fault:
        events.append(str(fault))
    return events


def cut(data: bytes) -> list[bytes]:
    return [data[: len(data) // 2], data[len(data) // 2 :]]


def check_payload(call: Call) -> None:
    """Any payload is a message or a DecodeError."""
    for message in REQUESTS.values():
        try:
            type(message).FromString(call.payload)
        except DecodeError:
            continue


def check_frame(stream: int, data: bytes) -> None:
    """A client that waits for this stream takes it as its answer."""
    length, on, kind, flags = HEADER.unpack_from(data)
    assert (length, on, kind, flags) == (len(data) - HEADER.size, stream, 2, 0)
    Response.FromString(data[HEADER.size :])


if __name__ == "__main__":
    campaign(__doc__, lambda seed: [(run_server, to_servers(seed)), (run_client, to_clients(seed))])
