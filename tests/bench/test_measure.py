"""The arithmetic behind every published figure."""

from __future__ import annotations

import pytest

from bench.load import LoadFailed, parse_wrk
from bench.measure import alone, compared, interleaved, middle_half

WRK = """\
Running 1s test @ http://127.0.0.1:8080/x
  Latency Distribution
     50%  950.00us
     75%    1.30ms
     99%    1.02s
Requests/sec:  15213.35
"""


def test_a_ratio_is_of_the_medians_and_its_spread_of_the_rounds() -> None:
    row = compared("m", "ms", "peer", [10, 20, 30, 40, 50], [10, 10, 10, 10, 20])
    assert (row.ours, row.theirs, row.ratio, row.runs) == (30, 10, 3, 5)
    assert row.spread == (2.0, 3.0)


def test_sides_that_were_not_measured_in_the_same_rounds_are_not_compared() -> None:
    with pytest.raises(ValueError, match="shorter"):
        compared("m", "ms", "peer", [1, 2], [1])


def test_a_row_without_a_peer_has_no_ratio() -> None:
    row = alone("m", "MiB", [3.0])
    assert (row.ours, row.theirs, row.ratio, row.spread) == (3.0, None, None, (3.0, 3.0))


def test_the_spread_of_two_values_is_both() -> None:
    assert middle_half([2.0, 1.0]) == (1.0, 2.0)


def test_the_side_that_goes_first_changes_with_each_round() -> None:
    order: list[str] = []

    def side(name: str) -> dict[str, float]:
        order.append(name)
        return {"n": len(order)}

    taken = interleaved([lambda: side("ours"), lambda: side("theirs")], 3)
    assert order == ["ours", "theirs", "theirs", "ours", "ours", "theirs"]
    assert [[each["n"] for each in one] for one in taken] == [[1, 4, 5], [2, 3, 6]]


def test_what_wrk_prints_is_read_in_milliseconds() -> None:
    assert parse_wrk(WRK) == pytest.approx({"rate": 15213.35, "p50": 0.95, "p99": 1020.0})


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(WRK + "  Non-2xx or 3xx responses: 1\n", id="failed requests"),
        pytest.param(WRK + "  Socket errors: connect 0, read 1, write 0, timeout 0\n", id="broken connections"),
        pytest.param(WRK.replace("950.00us", "0.00us"), id="no samples"),
        pytest.param("", id="nothing"),
    ],
)
def test_a_load_that_failed_is_no_figure(said: str) -> None:
    with pytest.raises(LoadFailed):
        parse_wrk(said)
