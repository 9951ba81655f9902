"""WasmApp documents, annotations and plans, nearly right: each is read, or refused with one of our errors.

python -m tests.fuzz.documents --seconds 60 --seed 1
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from tests.fuzz.campaign import campaign
from tests.fuzz.mutation import mutations
from tests.spec.apps import RIGHT, WRONG, document
from wherry.errors import InvalidApp, StartError
from wherry.plan import annotation, codec
from wherry.spec.parse import parse

TESTS = Path(__file__).parents[1]
TOO_LONG = 30.0
"""Seconds of CPU for one input of 64 KiB; a thousand times what a quick one takes."""


def corpus() -> list[bytes]:
    files = [*TESTS.glob("spec/golden/*.yaml"), *TESTS.glob("spec/*.yaml"), *TESTS.glob("plan/golden/*.json")]
    tables = [json.dumps(document(row.spec)).encode() for row in RIGHT + WRONG]
    return [path.read_bytes() for path in files] * 50 + tables


def inputs(seed: int) -> Iterator[str]:
    return (data.decode(errors="surrogateescape") for data in mutations(corpus(), seed))


def run(text: str) -> None:
    """Raises what no reader may raise, and AssertionError where one takes too long."""
    before = time.process_time()
    with suppress(InvalidApp):
        parse(text, "fuzz")
    with suppress(StartError):
        annotation.parse(text)
    with suppress(StartError):
        plan = codec.from_json(text)
        assert codec.from_json(codec.to_json(plan)) == plan
    assert time.process_time() - before < TOO_LONG


if __name__ == "__main__":
    campaign(__doc__, lambda seed: [(run, inputs(seed))])
