"""Fuzzing for a while: `--seconds N --seed S`. Targets take turns until one raises what it may not."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle
from typing import Any

Target = tuple[Callable[[Any], object], Iterator[Any]]
"""What is tried, and endless inputs for it."""


def campaign(description: str | None, targets: Callable[[int], Sequence[Target]]) -> None:
    """The command line of a fuzz module. targets: for a seed; the same for the same seed."""
    options = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seconds", type=float, default=60)
    options.add_argument("--seed", type=int, default=0)
    chosen = options.parse_args()
    count = run_until(time.monotonic() + chosen.seconds, chosen.seed, targets(chosen.seed))
    sys.stdout.write(f"{count} inputs of seed {chosen.seed}, all read or refused\n")


def run_until(end: float, seed: int, targets: Sequence[Target]) -> int:
    """How many inputs there were. The input that a target failed on goes to stderr."""
    count = 0
    for run, inputs in cycle(targets):
        if time.monotonic() > end:
            break
        given = next(inputs)
        try:
            run(given)
        except BaseException:
            sys.stderr.write(f"seed {seed}, {run.__name__}, input {count}: {given!r}\n")
            raise
        count += 1
    return count
