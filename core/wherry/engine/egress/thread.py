"""An egress with a loop and a thread of its own, for a command, whose caller has no loop."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future

from wherry.engine.egress.proxy import Egress


@contextlib.contextmanager
def egress_thread(
    origins: Sequence[str], *, log: Callable[[str], None], timeout: float | None = None
) -> Iterator[Egress]:
    """An Egress that runs until the block ends. log is called from its thread."""
    egress = Egress(origins, log=log, timeout=timeout)
    started: Future[Callable[[], object]] = Future()
    thread = threading.Thread(target=asyncio.run, args=(_run(egress, started),), name="egress", daemon=True)
    thread.start()
    stop = started.result()
    try:
        yield egress
    finally:
        stop()
        thread.join()


async def _run(egress: Egress, started: Future[Callable[[], object]]) -> None:
    loop, over = asyncio.get_running_loop(), asyncio.Event()
    try:
        await egress.__aenter__()
    except OSError as fault:
        started.set_exception(fault)
        return
    try:
        started.set_result(functools.partial(loop.call_soon_threadsafe, over.set))
        await over.wait()
    finally:
        await egress.__aexit__()
