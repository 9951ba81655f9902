"""Waiting for what a child says of itself."""

from __future__ import annotations

import asyncio
import os

from wherry_shim.order import check_report

_LIMIT = 1 << 16


async def reported(reader: int, what: str) -> None:
    """Until the other end of this pipe reports ready or is closed; closes the reader. Raises StartError."""
    loop = asyncio.get_running_loop()
    told = loop.create_future()
    loop.add_reader(reader, lambda: told.done() or told.set_result(None))
    try:
        await told
        check_report(os.read(reader, _LIMIT), what)
    finally:
        loop.remove_reader(reader)
        os.close(reader)
