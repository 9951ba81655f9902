"""Bytes that are nearly right: pieces of a corpus, cut, doubled, joined and overwritten. The same for the same seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence

Change = Callable[[random.Random, bytearray, Sequence[bytes]], None]


def mutations(corpus: Sequence[bytes], seed: int, most: int = 1 << 16) -> Iterator[bytes]:
    """Endless inputs of at most `most` bytes."""
    dice = random.Random(seed)
    while True:
        data = bytearray(dice.choice(corpus))
        for _ in range(dice.randint(1, 6)):
            dice.choice(CHANGES)(dice, data, corpus)
        yield bytes(data[:most])


def _flip(dice: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    if data:
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)


def _overwrite(dice: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    at = dice.randint(0, len(data))
    data[at : at + dice.randint(0, 4)] = dice.randbytes(dice.randint(0, 4))


def _cut(dice: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    start, end = _part(dice, data)
    del data[start:end]


def _double(dice: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    start, end = _part(dice, data)
    data[start:start] = data[start:end] * dice.choice((1, 1, 2, 50))


def _join(dice: random.Random, data: bytearray, corpus: Sequence[bytes]) -> None:
    other = bytearray(dice.choice(corpus))
    start, end = _part(dice, other)
    at = dice.randint(0, len(data))
    data[at:at] = other[start:end]


def _part(dice: random.Random, data: bytearray) -> tuple[int, int]:
    start = dice.randint(0, len(data))
    return start, min(len(data), start + int(dice.expovariate(1 / 20)))


CHANGES: tuple[Change, ...] = (_flip, _overwrite, _cut, _double, _join)
