"""One request and its response, passed on while they come, in both directions at once."""

from __future__ import annotations

import asyncio
import contextlib
from asyncio import StreamReader, StreamWriter

from wherry.engine.egress.failure import ClientGone
from wherry.engine.egress.message import Message, Request, Response, chunk, last_chunk


class Exchange:
    """Between the guest's side and a connected origin. `answered` says that a head has gone to the guest's side."""

    def __init__(self, request: Request, client: tuple[StreamReader, StreamWriter]) -> None:
        self.answered = False
        self._request = request
        self._from_client, self._to_client = client

    async def run(self, host: bytes, origin: tuple[StreamReader, StreamWriter]) -> None:
        """Raises Failure, or ClientGone when there is nobody to answer. The caller closes all streams."""
        reader, writer = origin
        writer.write(self._request.head_for(host))
        download = asyncio.create_task(self._download(reader))
        upload = asyncio.create_task(self._upload(writer))
        try:
            await asyncio.wait({upload, download}, return_when=asyncio.FIRST_COMPLETED)
            await (download if download.done() else upload)
        finally:
            upload.cancel()
            download.cancel()
            await asyncio.gather(upload, download, return_exceptions=True)

    async def _upload(self, origin: StreamWriter) -> None:
        """Pass the body on, then watch the guest's side; it ends only by raising.

        An origin may answer and stop reading before it has seen the whole body: the rest is then thrown away.
        """
        with contextlib.suppress(ConnectionError):
            await _pass_body(self._request, origin, chunked=self._request.chunked)
        async for _ in self._request.body():
            pass
        await self._gone()

    async def _gone(self) -> None:
        with contextlib.suppress(ConnectionError):
            await self._from_client.read(1)
        raise ClientGone

    async def _download(self, origin: StreamReader) -> None:
        response = Response(origin, bodiless=self._request.method == b"HEAD")
        await response.read_head()
        head, chunked = response.head_for_guest()
        self.answered = True
        self._to_client.write(head)
        try:
            await _pass_body(response, self._to_client, chunked=chunked)
        except ConnectionError:
            raise ClientGone from None


async def _pass_body(message: Message, writer: StreamWriter, *, chunked: bool) -> None:
    async for piece in message.body():
        writer.write(chunk(piece) if chunked else piece)
        await writer.drain()
    if chunked:
        writer.write(last_chunk(message.trailers))
    await writer.drain()
