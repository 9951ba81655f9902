"""poll_oneoff of ours: whom it wakes and when, and what it answers to a guest that means harm."""

from __future__ import annotations

import struct
import time

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tests.support import guests
from tests.support.commands import ours, plan_of
from wherry.engine.poll import Subscription, events, subscriptions
from wherry.plan.ending import Ending

SECOND = 1_000_000_000
SUCCESS, FAULT, INVAL = 0, 21, 28


def clock(timeout: int, identifier: int = 1, absolute: bool = False) -> Subscription:
    return Subscription(7, 0, identifier, timeout, int(absolute))


def test_a_relative_timeout_is_due_after_it() -> None:
    assert clock(5 * SECOND).due(zero=0) == 5 * SECOND


def test_an_absolute_time_of_the_guests_monotonic_clock_counts_from_its_zero() -> None:
    zero = time.monotonic_ns()
    assert 99 * SECOND < clock(100 * SECOND, absolute=True).due(zero) <= 100 * SECOND


def test_an_absolute_time_of_the_wall_clock_counts_from_now() -> None:
    assert 99 * SECOND < clock(time.time_ns() + 100 * SECOND, identifier=0, absolute=True).due(zero=0) <= 100 * SECOND


@pytest.mark.parametrize("tag", [1, 2])
def test_a_file_is_ready_at_once(tag: int) -> None:
    assert Subscription(7, tag, 0, 0, 0).due(zero=0) == 0


@pytest.mark.parametrize(("tag", "identifier"), [(0, 2), (0, 3), (0, 9), (3, 0), (255, 0)])
def test_what_is_no_subscription_is_an_error(tag: int, identifier: int) -> None:
    with pytest.raises(ValueError, match="no such"):
        Subscription(7, tag, identifier, 0, 0).due(zero=0)


@given(some.binary(min_size=48, max_size=480).filter(lambda data: len(data) % 48 == 0))
def test_any_bytes_are_subscriptions_that_keep_their_user_data(data: bytes) -> None:
    found = subscriptions(data)
    assert [item.userdata for item in found] == [word for (word,) in struct.iter_unpack("<Q40x", data)]
    assert [item.userdata for item in found] == [word for (word,) in struct.iter_unpack("<Q24x", events(found))]


@pytest.mark.parametrize(
    ("arguments", "errno"),
    [
        ("0 256 1 512", SUCCESS),
        ("0 256 0 512", INVAL),
        ("0 256 10001 512", INVAL),
        ("0 256 -1 512", INVAL),
        ("0xffffff00 256 1 512", FAULT),
        ("65536 256 1 512", FAULT),
        ("0 0xfffffff0 1 512", FAULT),
        ("0 256 1 65533", FAULT),
        ("65489 256 1 512", FAULT),
    ],
)
def test_addresses_outside_the_guests_memory_are_refused(arguments: str, errno: int) -> None:
    constants = " ".join(f"(i32.const {word})" for word in arguments.split())
    guest = guests.wat(f"""(module
      (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
      (memory (export "memory") 1)
      (func (export "_start") (call $exit (call $poll {constants}))))""")
    assert ours(plan_of(guest)).ending == Ending(errno)


def test_a_guest_without_memory_is_trapped_by_name() -> None:
    guest = guests.wat("""(module
      (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
      (func (export "_start") (drop (call $poll (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 0)))))""")
    ending = ours(plan_of(guest)).ending
    assert (ending.code, ending.reason) == (134, "host")
    assert "exports no memory" in ending.sentence
