"""What an agent remembers: a good installation counts for a while, and until a file changes."""

from __future__ import annotations

from wherry_agent.decision import PATIENCE
from wherry_agent.names import Order, Outcome
from wherry_agent.progress import FRESH, Progress

FILES = ((1, 2, 3),)
OTHER = ((1, 2, 4),)


def settled(progress: Progress, now: float, files: tuple[tuple[int, int, int], ...] = FILES) -> bool:
    return progress.known(now, installed=True, healthy=True, signature=files).settled


def test_an_installation_is_good_until_a_file_changes_or_time_has_passed() -> None:
    progress = Progress(jitter=lambda: 0.5)
    assert not settled(progress, 0.0)
    progress.succeeded(10.0, FILES)
    assert settled(progress, 10.0)
    assert not settled(progress, 11.0, OTHER)
    assert settled(progress, 9.0 + FRESH)
    assert not settled(progress, 10.0 + FRESH)


def test_a_node_is_sick_from_when_it_was_last_well() -> None:
    progress = Progress()
    sick = [
        progress.known(now, installed=True, healthy=healthy, signature=FILES).sick
        for now, healthy in ((0.0, True), (5.0, False), (5.0 + PATIENCE, False), (30.0, True))
    ]
    assert sick == [0.0, 5.0, 5.0 + PATIENCE, 0.0]


def test_another_order_is_tried_at_once_whatever_failed_before() -> None:
    progress = Progress()
    progress.failed(0.0)
    progress.obey(Order("a", force=False))
    known = progress.known(0.0, installed=True, healthy=True, signature=FILES)
    assert (known.ordered, known.failures, known.pause) == (True, 0, 0.0)
    progress.failed(0.0)
    progress.obey(Order("a", force=False))
    assert progress.known(0.0, installed=True, healthy=True, signature=FILES).failures == 1


def test_a_node_that_lost_its_label_is_probed_before_it_gets_it_back() -> None:
    progress = Progress(marked=True)
    progress.succeeded(0.0, FILES)
    progress.withdrawn()
    known = progress.known(0.0, installed=True, healthy=True, signature=FILES)
    assert (known.marked, known.proven) == (False, False)


def test_orders_and_answers_are_read_as_they_are_written() -> None:
    assert [Order.parse(str(order)) for order in (Order("x", True), Order("y", False))] == [
        Order("x", True),
        Order("y", False),
    ]
    assert Order.parse("") is None
    answers = (Outcome("x", ""), Outcome("x", "3 Wasm pods run here: a/b"))
    assert tuple(Outcome.parse(str(answer)) for answer in answers) == answers
