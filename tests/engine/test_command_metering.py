"""A command's use is counted where a server's is, and summed up in one line."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.support import guests
from tests.support.commands import CACHE, plan_of
from wherry.engine.host import Host
from wherry.engine.metering import attach
from wherry.engine.run import run
from wherry.plan.model import Limits

KINDS: dict[str, Callable[[str], Path]] = {"module": guests.command, "component": guests.command_component}


def counted(at: Path, guest: Path, way: str, limits: Limits) -> tuple[dict[str, int], list[str]]:
    reports: list[str] = []
    with open(os.devnull, "r+b") as nothing:
        stdio = (nothing.fileno(),) * 3
        run(plan_of(guest, way, limits=limits), Host(stdio=stdio, cache=CACHE, metrics=at, report=reports.append))
    with closing(attach(at)) as counters:
        return counters.total(), reports


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("way", "limits", "counter"),
    [
        ("abort", Limits(), "trap_unreachable"),
        ("loop", Limits(timeout=0.2), "limit_timeout"),
        ("loop", Limits(fuel=1_000_000), "limit_fuel"),
    ],
)
def test_a_run_is_counted_with_its_end_and_what_it_took(
    way: str, limits: Limits, counter: str, kind: str, tmp_path: Path
) -> None:
    total, reports = counted(tmp_path / "metrics", KINDS[kind]("hostile"), way, limits)
    assert (total["commands"], total["instances"], total[counter]) == (1, 1, 1)
    assert total["cpu_microseconds"] > 0
    assert total["memory_byte_seconds"] > 0
    assert total["fuel"] == (limits.fuel or 0)
    assert "CPU-seconds" in reports[-1]
