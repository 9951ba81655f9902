"""What containerd waits for that kills a process which has ended already."""

from __future__ import annotations

import asyncio

from wherry_shim.task.life import Life
from wherry_shim.task.streams import Names
from wherry_shim.task.workload import Born


def ended(read: asyncio.Event) -> Life:
    """read: set when its last words are."""
    life, end = Life("a", Names()), asyncio.get_running_loop().create_future()
    end.set_result(0)
    life.born = Born(1, end, read=read.wait)
    return life


def test_last_words_are_waited_for() -> None:
    async def story() -> None:
        read = asyncio.Event()
        waiting = asyncio.ensure_future(ended(read).read())
        await asyncio.sleep(0.02)
        assert not waiting.done()
        read.set()
        await waiting

    asyncio.run(story())


def test_a_reader_who_never_comes_is_not_waited_for() -> None:
    async def story() -> None:
        never = asyncio.Event()
        async with asyncio.timeout(30):
            await ended(never).read()
        assert not never.is_set()

    asyncio.run(story())


def test_what_runs_is_not_waited_for() -> None:
    async def story() -> None:
        life = ended(asyncio.Event())
        assert life.born
        life.born = Born(1, asyncio.get_running_loop().create_future(), life.born.release, life.born.read)
        waiting = asyncio.ensure_future(life.read())
        await asyncio.sleep(0)
        assert waiting.done()

    asyncio.run(story())
