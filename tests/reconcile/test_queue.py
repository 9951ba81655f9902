"""The queue's promises: once each, never twice at the same time, nothing lost, failures ever later."""

from __future__ import annotations

import asyncio
import random
from collections import Counter

import pytest

from wherry_operator.queue import FIRST_DELAY, LAST_DELAY, Queue

WAIT = 10.0


def test_a_key_that_is_added_twice_is_taken_once() -> None:
    async def scenario() -> list[str]:
        queue: Queue[str] = Queue()
        for key in ("a", "b", "a"):
            queue.add(key)
        return [await queue.take(), await queue.take(), *map(str, range(len(queue)))]

    assert asyncio.run(scenario()) == ["a", "b"]


def test_a_key_that_is_added_during_its_pass_gets_one_more_pass_after_it() -> None:
    async def scenario() -> tuple[int, int, str]:
        queue: Queue[str] = Queue()
        queue.add("a")
        await queue.take()
        queue.add("a")
        queue.add("a")
        during = len(queue)
        queue.done("a")
        return during, len(queue), await queue.take()

    assert asyncio.run(scenario()) == (0, 1, "a")


def test_a_taker_waits_until_something_is_added() -> None:
    async def scenario() -> str:
        queue: Queue[str] = Queue()
        taker = asyncio.create_task(queue.take())
        await asyncio.sleep(0)
        assert not taker.done()
        queue.add("late")
        return await asyncio.wait_for(taker, WAIT)

    assert asyncio.run(scenario()) == "late"


def test_delays_of_a_failing_key_double_up_to_a_bound_and_start_anew_after_a_success() -> None:
    async def scenario() -> tuple[list[float], float]:
        queue: Queue[str] = Queue(jitter=lambda: 1.0)
        delays = [queue.failed("a") for _ in range(12)]
        queue.succeeded("a")
        again = queue.failed("a")
        queue.close()
        return delays, again

    delays, again = asyncio.run(scenario())
    assert delays[:4] == [FIRST_DELAY, FIRST_DELAY * 2, FIRST_DELAY * 4, FIRST_DELAY * 8]
    assert delays[-1] == LAST_DELAY
    assert again == FIRST_DELAY


@pytest.mark.parametrize("delays", [(0.01, 3600.0), (3600.0, 0.01)])
def test_the_sooner_of_two_delays_counts(delays: tuple[float, float]) -> None:
    async def scenario() -> str:
        queue: Queue[str] = Queue()
        for delay in delays:
            queue.add_after("a", delay)
        return await asyncio.wait_for(queue.take(), WAIT)

    assert asyncio.run(scenario()) == "a"


def test_what_was_to_come_later_comes_with_a_pass_before() -> None:
    async def scenario() -> list[str]:
        queue: Queue[str] = Queue()
        queue.add_after("a", 0.001)
        queue.add("a")
        queue.done(await queue.take())
        queue.add_after("b", 0.01)
        return [await asyncio.wait_for(queue.take(), WAIT), *map(str, range(len(queue)))]

    assert asyncio.run(scenario()) == ["b"]


def test_a_forgotten_key_never_comes_back_by_its_timer() -> None:
    async def scenario() -> list[str]:
        queue: Queue[str] = Queue()
        queue.add_after("gone", 0.001)
        queue.forget("gone")
        queue.add_after("there", 0.01)
        return [await asyncio.wait_for(queue.take(), WAIT), *map(str, range(len(queue)))]

    assert asyncio.run(scenario()) == ["there"]


@pytest.mark.parametrize("seed", range(5))
def test_many_workers_never_share_a_key_and_see_the_last_of_every_change(seed: int) -> None:
    chance = random.Random(seed)

    async def scenario() -> tuple[Counter[str], dict[str, int], dict[str, int]]:
        queue: Queue[str] = Queue()
        wanted: dict[str, int] = {}
        seen: dict[str, int] = {}
        at_once: Counter[str] = Counter()

        async def work() -> None:
            while True:
                key = await queue.take()
                at_once[key] += 1
                assert at_once[key] == 1
                value = wanted[key]
                for _ in range(chance.randrange(4)):
                    await asyncio.sleep(0)
                seen[key] = value
                at_once[key] -= 1
                queue.done(key)

        workers = [asyncio.create_task(work()) for _ in range(4)]
        for change in range(200):
            key = chance.choice("abcdef")
            wanted[key] = change
            queue.add(key)
            if chance.random() < 0.3:
                await asyncio.sleep(0)
        async with asyncio.timeout(WAIT):
            while seen != wanted:  # noqa: ASYNC110 - what is waited for is a state, not an event
                await asyncio.sleep(0)
        for worker in workers:
            worker.cancel()
        return at_once, wanted, seen

    at_once, wanted, seen = asyncio.run(scenario())
    assert seen == wanted
    assert not any(at_once.values())
