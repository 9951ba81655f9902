"""One answer for everybody who asks the same at the same time, and threads for what blocks."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Hashable
from contextlib import suppress
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class Flights(Generic[K, T]):
    """Belongs to one event loop. Who gives up waiting ends nobody else's flight."""

    def __init__(self) -> None:
        self._flying: dict[K, asyncio.Task[T]] = {}

    async def join(self, key: K, start: Callable[[], Awaitable[T]]) -> T:
        """The result of the flight that is under way for key, or of a new one."""
        task = self._flying.get(key)
        if task is None:
            task = self._flying[key] = asyncio.ensure_future(_awaited(start))
            task.add_done_callback(lambda done: self._landed(key, done))
        return await asyncio.shield(task)

    def close(self) -> None:
        """Nobody waits any longer."""
        for task in self._flying.values():
            task.cancel()

    def _landed(self, key: K, task: asyncio.Task[T]) -> None:
        del self._flying[key]
        if not task.cancelled():
            task.exception()  # a fault that nobody waits for any longer is no fault of the loop


async def _awaited(start: Callable[[], Awaitable[T]]) -> T:
    return await start()


async def in_thread(work: Callable[[], T]) -> T:
    """work's result. The thread is a daemon: a registry that holds on to it holds up no stop of the process."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def tell(result: T | None, error: BaseException | None) -> None:
        if future.done():
            return
        if error:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        result, error = None, None
        try:
            result = work()
        except BaseException as raised:  # whatever it is belongs to who waits
            error = raised
        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(tell, result, error)

    threading.Thread(target=run, name="wherry-look", daemon=True).start()
    return await future
