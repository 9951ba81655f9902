"""Exit codes and termination messages, as readers of a Pod's status see them."""

from __future__ import annotations

import pytest

from wherry.plan import ending
from wherry.plan.ending import Ending, exited, signalled, told


@pytest.mark.parametrize(("code", "seen"), [(0, 0), (3, 3), (255, 255), (256, 0), (-1, 255)])
def test_a_guests_own_code_is_what_a_process_could_have_returned(code: int, seen: int) -> None:
    assert exited(code) == Ending(code=seen)
    assert exited(code).message == ""


def test_a_signal_ends_with_128_and_its_number() -> None:
    assert signalled(15).code == 143
    assert signalled(15).message == "signal/15: ended by signal 15"


def test_a_message_is_one_line_and_then_the_backtrace() -> None:
    trap = Ending(ending.EXIT_TRAP, "trap", "unreachable", "wasm `unreachable` was run", ("0: main.c:3 f", "1: g"))
    assert trap.message == "trap/unreachable: wasm `unreachable` was run\n0: main.c:3 f\n1: g"


CONTAINERD = "failed to create containerd task: failed to create shim task: "


@pytest.mark.parametrize(
    ("text", "ended"),
    [
        pytest.param(
            "trap/unreachable: s\n0: f\n1: g", Ending(134, "trap", "unreachable", "s", ("0: f", "1: g")), id="trap"
        ),
        pytest.param("limit/fuel: all of it", Ending(124, "limit", "fuel", "all of it"), id="limit"),
        pytest.param("oom/memory: s", Ending(137, "oom", "memory", "s"), id="memory"),
        pytest.param(
            f"{CONTAINERD}start/mount: /a: b: unknown", Ending(125, "start", "mount", "/a: b"), id="in a sentence"
        ),
        pytest.param(
            "start/mount: it is unknown: unknown", Ending(125, "start", "mount", "it is unknown: unknown"), id="own"
        ),
        pytest.param(f"{CONTAINERD}no such runtime: unknown", None, id="another's"),
        pytest.param("see /srv/start/now: trap/none: x", None, id="no reason of ours"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_an_ending_is_found_in_what_a_pod_tells_of_it(text: str, ended: Ending | None) -> None:
    assert told(text) == ended


def test_what_was_told_is_understood() -> None:
    ended = Ending(ending.EXIT_LIMIT, "limit", "timeout", "longer than 1s", ("0: f",))
    assert told(ended.message) == ended


def test_a_message_is_cut_to_what_kubernetes_keeps_without_breaking_a_character() -> None:
    long = Ending(ending.EXIT_TRAP, "trap", "other", "x", tuple("ü" * 100 for _ in range(100)))
    kept = long.message.encode()
    assert ending.MESSAGE_LIMIT - 2 < len(kept) <= ending.MESSAGE_LIMIT
    assert long.message.startswith("trap/other: x\nü")
