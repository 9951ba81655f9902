"""The arithmetic of a comparison: interleaved rounds, medians, and the spread of their ratios. No I/O here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median, quantiles

Round = Mapping[str, float]
"""One measurement of one side: a number for each measure."""


@dataclass(frozen=True)
class Row:
    """One line of a result. ratio is ours / theirs, by medians; spread is the middle half of the ratios of the rounds,
    each of which measured both sides one after the other. theirs and ratio are None where there is no peer."""

    measure: str
    unit: str
    ours: float
    theirs: float | None
    peer: str
    ratio: float | None
    spread: tuple[float, float]
    runs: int

    def as_json(self) -> dict[str, object]:
        return asdict(self)


def interleaved(sides: Sequence[Callable[[], Round]], rounds: int) -> list[list[Round]]:
    """Measure every side once in each round, so that a slow minute of the machine is everyone's. A list per side."""
    taken: list[list[Round]] = [[] for _ in sides]
    for number in range(rounds):
        order = range(len(sides)) if number % 2 == 0 else reversed(range(len(sides)))
        for side in order:
            taken[side].append(sides[side]())
    return taken


def compared(measure: str, unit: str, peer: str, ours: Sequence[float], theirs: Sequence[float]) -> Row:
    """A row of two sides. Both were measured in the same rounds, in the same order."""
    ratios = [mine / other for mine, other in zip(ours, theirs, strict=True)]
    ratio = median(ours) / median(theirs)
    return Row(measure, unit, median(ours), median(theirs), peer, ratio, middle_half(ratios), len(ratios))


def of_each(
    label: str, units: Mapping[str, str], peer: str, ours: Sequence[Round], theirs: Sequence[Round]
) -> list[Row]:
    """A row for each measure that units names, in that order."""
    return [
        compared(f"{label}: {name}", unit, peer, [each[name] for each in ours], [each[name] for each in theirs])
        for name, unit in units.items()
    ]


def alone(measure: str, unit: str, values: Sequence[float]) -> Row:
    """A row without a peer; spread is of the values themselves."""
    return Row(measure, unit, median(values), None, "", None, middle_half(values), len(values))


def middle_half(values: Sequence[float]) -> tuple[float, float]:
    """First and third quartile; of fewer than three values, the ends."""
    if len(values) < 3:
        return min(values), max(values)
    low, _, high = quantiles(values, n=4, method="inclusive")
    return low, high
