"""Later after each failure, never longer than the longest, and never all at the same moment."""

from __future__ import annotations

from wherry_operator.supply.backoff import Backoff


def waits(backoff: Backoff[str], count: int) -> list[float]:
    return [backoff.failed("a", 100.0) - 100.0 for _ in range(count)]


def test_the_delay_doubles_up_to_the_longest() -> None:
    assert waits(Backoff(1.0, 10.0, lambda: 0.0), 6) == [1, 2, 4, 8, 10, 10]


def test_jitter_adds_up_to_half() -> None:
    assert waits(Backoff(2.0, 10.0, lambda: 0.999), 1)[0] < 3.0
    assert waits(Backoff(2.0, 10.0, lambda: 0.5), 2) == [2.5, 5.0]


def test_the_other_sides_wish_is_the_least() -> None:
    backoff: Backoff[str] = Backoff(1.0, 10.0, lambda: 0.0)
    assert backoff.failed("a", 0.0, at_least=120.0) == 120.0
    assert backoff.failed("a", 0.0, at_least=1.0) == 2.0


def test_a_shorter_longest_delay_may_be_asked_for() -> None:
    backoff: Backoff[str] = Backoff(1.0, 100.0, lambda: 0.0)
    assert [backoff.failed("a", 0.0, at_most=3.0) for _ in range(3)] == [1, 2, 3]


def test_a_success_forgets_the_failures() -> None:
    backoff: Backoff[str] = Backoff(1.0, 10.0, lambda: 0.0)
    waits(backoff, 4)
    backoff.succeeded("a")
    assert (backoff.wait("a", 0.0), backoff.failing("a"), waits(backoff, 1)) == (0.0, False, [1])


def test_one_key_does_not_slow_another() -> None:
    backoff: Backoff[str] = Backoff(1.0, 10.0, lambda: 0.0)
    waits(backoff, 4)
    assert (backoff.wait("a", 100.0), backoff.wait("b", 100.0)) == (8.0, 0.0)
    assert backoff.failed("b", 100.0) == 101.0


def test_failures_of_long_ago_do_not_fill_the_memory() -> None:
    backoff: Backoff[int] = Backoff(1.0, 10.0, lambda: 0.0)
    for key in range(5000):
        backoff.failed(key, key * 10.0)
    assert not backoff.failing(0)
    assert backoff.failing(4999)
