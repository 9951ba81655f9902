"""Everything that the drivers do, once: answers, refusals, faults, time limits, dead clients, events, an end."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

from google.protobuf.empty_pb2 import Empty

from tests.support.ttrpc_peer import calling, raw_peer, serving
from tests.ttrpc.events_service import answering, publish
from tests.ttrpc.task_service import TaskService, call, state, until, wait
from wherry.errors import WherryError
from wherry_shim.proto.ttrpc_pb2 import Response
from wherry_shim.ttrpc.publisher import Publisher


async def conversation(address: str) -> None:
    """Raises what no driver may raise."""
    path = Path(address)
    events, service = answering(), TaskService()
    publisher = Publisher(address, "k8s.io")
    publish(publisher, range(3))
    await publisher.drain(0.1)
    async with serving(path, {**service.methods(), **events.methods()}):
        async with calling(path) as client, raw_peer(path) as peer:
            await state(client, "a")
            for method in ("Create", "Kill", "Pause", "Frobnicate"):
                with suppress(WherryError):
                    await call(client, method, Empty())
            with suppress(WherryError):
                await call(client, "State", Response(payload=b"\xff"))
            with suppress(WherryError):
                await wait(client, "late", seconds=0.01)
            peer.send(b"GET / HTTP/1.1\r\n\r\n")
            await peer.reader.read()
            dead = asyncio.ensure_future(wait(client, "dead"))
            await until(lambda: "dead" in service.begun)
        with suppress(WherryError):
            await dead
        assert await publisher.drain(20)
        assert events.numbers == [0, 1, 2]
    publisher.close()
    await asyncio.sleep(0)
