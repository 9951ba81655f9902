"""Waiting for what a child says of itself."""

from __future__ import annotations

import asyncio
import os

from wherry_shim.order import check_report

_LIMIT = 1 << 16


async def reported(reader: int, what: str) -> None:
    """Until the other end of this pipe reports ready or is closed. Raises StartError."""
    loop = asyncio.get_running_loop()
    told: asyncio.Future[None] = loop.create_future()
    loop.add_reader(reader, _tell, told)
    try:
        await told
        check_report(os.read(reader, _LIMIT), what)
    finally:
        loop.remove_reader(reader)


def _tell(told: asyncio.Future[None]) -> None:
    if not told.done():
        told.set_result(None)
