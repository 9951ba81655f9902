"""Lists of C calls: the order, what stops them, and what may be left out."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from ctypes import CFUNCTYPE, c_bool, c_char_p, c_size_t, c_uint64, c_void_p
from typing import Any

import pytest

from wherry.engine.calls import Calls, Step
from wherry.engine.routines import itself, spread

Made = list[tuple[Any, ...]]


@pytest.fixture
def made() -> Made:
    """What `function` was called with."""
    return []


@pytest.fixture
def function(made: Made) -> Callable[..., Any]:
    """function(what it returns, the type of that, types of arguments) is a C function."""

    def define(value: Any, result: Any, *arguments: Any) -> Any:
        def call(*given: Any) -> Any:
            made.append(given)
            return value

        return CFUNCTYPE(result, *arguments)(call)

    return define


def test_calls_are_made_in_order_with_what_their_places_hold_then(function: Callable[..., Any], made: Made) -> None:
    first, second, result = c_size_t(), c_char_p(b"text"), c_size_t()
    calls = Calls(
        [
            Step(function(7, c_size_t, c_size_t), (first,), into=result),
            Step(function(None, None, c_char_p, c_size_t), (second, result)),
        ]
    )
    first.value = 3
    assert calls.make() is None
    first.value, second.value = 4, b"other"
    assert calls.make() is None
    assert made == [(3,), (b"text", 7), (4,), (b"other", 7)]


def test_a_call_takes_seven_arguments_and_no_more(function: Callable[..., Any], made: Made) -> None:
    places = tuple(map(c_size_t, range(8)))
    assert Calls([Step(function(None, None, *[c_size_t] * 7), places[:7])]).make() is None
    assert made == [tuple(range(7))]
    with pytest.raises(TypeError, match="takes 8 arguments"):
        Step(function(None, None, *[c_size_t] * 8), places)


def test_a_call_gets_as_many_arguments_as_it_takes(function: Callable[..., Any]) -> None:
    with pytest.raises(TypeError, match="takes 2 arguments, 1 given"):
        Step(function(None, None, c_size_t, c_size_t), (c_size_t(),))


@pytest.mark.parametrize(
    ("value", "result", "stops"),
    [
        (True, c_bool, False),
        (False, c_bool, True),
        (None, c_void_p, False),
        (0x1000, c_void_p, True),
        (None, None, False),
    ],
)
def test_a_result_that_says_so_stops_the_list(
    function: Callable[..., Any], made: Made, value: Any, result: Any, stops: bool
) -> None:
    steps = [Step(function(value, result)), Step(function(None, None))]
    assert Calls(steps).make() is (steps[0] if stops else None)
    assert len(made) == (1 if stops else 2)


def test_only_the_lowest_byte_of_a_bool_counts(function: Callable[..., Any]) -> None:
    number = function(0xFF00, c_uint64)
    boolean = CFUNCTYPE(c_bool)(ctypes.cast(number, c_void_p).value or 0)
    step = Step(boolean)
    assert Calls([step]).make() is step


def test_a_result_that_is_kept_stops_nothing(function: Callable[..., Any]) -> None:
    kept = c_void_p(1)
    assert Calls([Step(function(None, c_void_p), into=kept)]).make() is None
    assert kept.value is None


def test_an_error_is_taken_once(function: Callable[..., Any]) -> None:
    calls = Calls([Step(function(0x1000, c_void_p))])
    calls.make()
    assert (calls.take_error(), calls.take_error()) == (0x1000, 0)


def test_the_first_may_be_left_out(function: Callable[..., Any], made: Made) -> None:
    steps = [Step(function(None, None, c_size_t), (c_size_t(number),)) for number in range(5)]
    calls = Calls(steps)
    assert calls.make(2) is None
    assert made == [(2,), (3,), (4,)]


def test_the_one_that_failed_is_told_when_some_are_left_out(function: Callable[..., Any]) -> None:
    steps = [Step(function(False, c_bool)) for _ in range(3)]
    assert Calls(steps).make(1) is steps[1]


def test_a_place_that_is_not_null_stops_the_list() -> None:
    place = c_void_p()
    calls = Calls([Step(itself, (place,))])
    assert calls.make() is None
    place.value = 0x1000
    assert calls.make() is not None
    assert calls.take_error() == 0x1000


def test_texts_are_found_one_behind_the_other() -> None:
    places = (c_char_p * 3)()
    text = c_char_p(b"one\0\0three")
    assert Calls([Step(spread, (text, c_void_p(ctypes.addressof(places)), c_size_t(3)))]).make() is None
    assert list(places) == [b"one", b"", b"three"]
