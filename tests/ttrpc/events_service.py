"""containerd's end of the events: records what was forwarded, and can hold, refuse or lose an answer."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from google.protobuf.empty_pb2 import Empty

from wherry_shim.proto.envelope_pb2 import Envelope
from wherry_shim.proto.events_pb2 import TaskExit
from wherry_shim.proto.forward_pb2 import ForwardRequest
from wherry_shim.proto.services import EVENTS_SERVICE
from wherry_shim.ttrpc.codes import RpcError
from wherry_shim.ttrpc.dispatch import Method, Methods
from wherry_shim.ttrpc.publisher import Publisher


@dataclass
class EventsService:
    """answers: whether Forward is answered at once; refusal: what it is answered with."""

    answers: asyncio.Event = field(default_factory=asyncio.Event)
    refusal: RpcError | None = None
    envelopes: list[Envelope] = field(default_factory=list)

    def methods(self) -> Methods:
        return {(EVENTS_SERVICE, "Forward"): Method(ForwardRequest, self.forward)}

    async def forward(self, request: ForwardRequest) -> Empty:
        self.envelopes.append(request.envelope)
        await self.answers.wait()
        if self.refusal:
            raise self.refusal
        return Empty()

    @property
    def numbers(self) -> list[int]:
        """Of the exits that arrived, in their order."""
        return [TaskExit.FromString(envelope.event.value).pid for envelope in self.envelopes]


def answering() -> EventsService:
    service = EventsService()
    service.answers.set()
    return service


def publish(publisher: Publisher, numbers: range) -> None:
    for number in numbers:
        publisher.publish("/tasks/exit", TaskExit(container_id="a1", id="a1", pid=number, exit_status=7))
