"""Events to containerd: in the order they were published, none lost while containerd is away, none ever waited for.

An event leaves the queue when its Forward was answered. One that containerd took without our seeing the answer is sent
again: containerd's listeners take an event twice, but not never.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque

from google.protobuf.empty_pb2 import Empty
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from wherry_shim.proto.envelope_pb2 import Envelope
from wherry_shim.proto.forward_pb2 import ForwardRequest
from wherry_shim.proto.services import EVENTS_SERVICE
from wherry_shim.proto.typeurl import packed
from wherry_shim.ttrpc.client import Client, Disconnected
from wherry_shim.ttrpc.codes import Code, RpcError
from wherry_shim.ttrpc.dispatch import Log

MAX_WAITING = 2048
"""Events; at more the oldest is lost."""

ANSWER_WITHIN = 5.0
"""Seconds for one Forward; then the connection is given up."""

FIRST_RETRY, LAST_RETRY = 0.05, 2.0
"""Seconds between attempts to reach containerd: doubled from the first to the last."""


class Publisher:
    """Delivers events from the running loop; idle, it has one connection and no task.

    address: containerd's TTRPC_ADDRESS; log: gets a line when events are lost.
    """

    def __init__(self, address: str, namespace: str, log: Log = lambda _: None) -> None:
        self._address = address
        self._namespace = namespace
        self._log = log
        self._waiting: deque[ForwardRequest] = deque()
        self._lost = 0
        self._client: Client | None = None
        self._delivery: asyncio.Task[None] | None = None

    def publish(self, topic: str, event: Message) -> None:
        """Queue an event with the time of now; returns at once."""
        self._make_room()
        self._waiting.append(ForwardRequest(envelope=self._envelope(topic, event)))
        if self._delivery is None or self._delivery.done():
            self._delivery = asyncio.get_running_loop().create_task(self._deliver())

    async def drain(self, seconds: float) -> bool:
        """Whether everything published so far is delivered within this time."""
        if self._delivery and not self._delivery.done():
            await asyncio.wait({self._delivery}, timeout=seconds)
        return not self._waiting

    def close(self) -> None:
        """Hang up and deliver no more."""
        if self._delivery:
            self._delivery.cancel()
        self._hang_up()

    def _envelope(self, topic: str, event: Message) -> Envelope:
        seconds, nanos = divmod(time.time_ns(), 10**9)
        now = Timestamp(seconds=seconds, nanos=nanos)
        return Envelope(timestamp=now, namespace=self._namespace, topic=topic, event=packed(event))

    def _make_room(self) -> None:
        if len(self._waiting) < MAX_WAITING:
            return
        self._waiting.popleft()
        if not self._lost:
            self._log(f"{MAX_WAITING} events wait for containerd at {self._address}: the oldest are dropped")
        self._lost += 1

    async def _deliver(self) -> None:
        pause = FIRST_RETRY
        while self._waiting:
            oldest = self._waiting[0]
            if await self._forwarded(oldest):
                self._delivered(oldest)
                pause = FIRST_RETRY
            else:
                self._hang_up()
                await asyncio.sleep(pause)
                pause = min(2 * pause, LAST_RETRY)

    async def _forwarded(self, request: ForwardRequest) -> bool:
        """Whether containerd answered, be it with a refusal."""
        try:
            client = await self._connected()
            await client.call(EVENTS_SERVICE, "Forward", request, Empty, ANSWER_WITHIN)
        except (OSError, Disconnected):
            return False
        except RpcError as fault:
            if fault.code == Code.DEADLINE_EXCEEDED:
                return False
            self._log(f"containerd refused an event of {request.envelope.topic}: {fault}")
        return True

    def _delivered(self, request: ForwardRequest) -> None:
        if self._waiting and self._waiting[0] is request:  # else it was dropped meanwhile
            self._waiting.popleft()
        if self._lost:
            self._log(f"containerd at {self._address} answers again: {self._lost} events were dropped")
            self._lost = 0

    async def _connected(self) -> Client:
        if self._client is None or not self._client.connected:
            self._client = await Client.connect(self._address)
        return self._client

    def _hang_up(self) -> None:
        if self._client:
            self._client.close()
        self._client = None
