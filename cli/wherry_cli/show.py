"""How an answer looks: one set of facts, as JSON for programs or as lines for people."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import click

from wherry.wasm.module import Inspection

Fact = str | int | Sequence[str] | Mapping[str, str] | Sequence[Mapping[str, object]] | None
Facts = Mapping[str, Fact]
Words = Mapping[str, Sequence[str]]
"""Lines for a fact that a person reads in other words than a program."""

WIDTH = 12
UNITS = ("KiB", "MiB", "GiB")


def show(facts: Facts, as_json: bool, words: Words | None = None) -> None:
    """Print the facts. The keys of the JSON form are API: docs/cli.md lists them."""
    if as_json:
        click.echo(json.dumps(facts, ensure_ascii=False))
        return
    spoken = words or {}
    for name, fact in facts.items():
        for index, line in enumerate(spoken[name] if name in spoken else lines(fact)):
            label = "" if index else name
            click.echo(f"{click.style(f'{label:<{WIDTH}}', bold=True)}{line}")


def lines(fact: Fact) -> list[str]:
    """A fact as a person reads it; one that is empty has no line."""
    if isinstance(fact, int):
        return [size(fact)]
    if isinstance(fact, str):
        return [fact] if fact else []
    if isinstance(fact, Mapping):
        return [f"{key}={value}" for key, value in fact.items()]
    return list(map(str, fact or []))


def size(count: int) -> str:
    """Bytes in the unit that reads best: 532 B, 12.5 KiB."""
    if count < 1024:
        return f"{count} B"
    power = min((count.bit_length() - 1) // 10, len(UNITS))
    return f"{count / 1024**power:.1f} {UNITS[power - 1]}"


def of_module(found: Inspection) -> dict[str, Fact]:
    """What a binary says of itself."""
    return {
        "size": found.size,
        "kind": found.kind,
        "wasi": found.wasi,
        "world": found.world,
        "run": found.run,
        "imports": found.imports,
        "exports": found.exports,
    }
