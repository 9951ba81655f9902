"""Guests with a few bytes changed: composing and compiling them ends in a typed error or in a component.

Run as a program: GUEST ADAPTER SEEDS. Prints how many were refused and how many compiled; anything else is a crash.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

import wasmtime
from wasmtime import component

from wherry.engine.adapter.compose import compose
from wherry.errors import WherryError
from wherry.wasm.binary import sections

INTERESTING = (0, 1, 3, 5, 0x40, 0x42, 0x68, 0x7F, 0x80, 0xFF)


def shape(guest: bytes) -> int:
    """Where the first code is: everything before it says how the component is put together."""
    return next(section.start for section in sections(guest) if section.id == 1)


def mutated(guest: bytes, end: int, seed: int) -> bytes:
    chance = random.Random(seed)
    data = bytearray(guest)
    for _ in range(chance.randint(1, 3)):
        data[chance.randrange(8, end)] = chance.choice(INTERESTING)
    return bytes(data)


def main(path: str, adapter: str, seeds: str) -> None:
    guest = Path(path).read_bytes()
    engine = wasmtime.Engine()
    end, refused, compiled = shape(guest), 0, 0
    for seed in range(int(seeds)):
        try:
            component.Component(engine, compose(mutated(guest, end, seed), "http" if adapter == "http" else "command"))
            compiled += 1
        except (WherryError, wasmtime.WasmtimeError):
            refused += 1
    print(refused, compiled)


if __name__ == "__main__":
    main(*sys.argv[1:])
