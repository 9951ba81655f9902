"""Code that workers run lies together, and functions go on as before."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.architecture.tree import ROOT
from wherry_shim import neighbours

HERE = __name__

PAGES = """
import gc, sys
from types import FunctionType
import wherry_shim.zygote, wherry_shim.worker.worker
from wherry_shim import holes, neighbours
names = set(neighbours.of_workers())
def pages():
    found = set()
    for each in gc.get_objects():
        if isinstance(each, FunctionType):
            code = each.__code__
            if f"{each.__module__}:{code.co_qualname}" in names:
                found.update(range(id(code) >> 12, (id(code) + sys.getsizeof(code) >> 12) + 1))
    return len(found)
before = pages()
holes.fill()
neighbours.gather(names)
print(before, pages())
"""


def counting(start: int) -> Iterator[int]:
    yield from (start + step for step in range(3))


def adder(count: int) -> Callable[[int], int]:
    def add(number: int) -> int:
        return number + count

    return add


def alone() -> str:
    return "as it was"


@dataclass
class Pair:
    left: int = 1
    right: int = 2


def test_named_functions_have_other_code_and_do_the_same() -> None:
    begun = counting(5)
    assert next(begun) == 5
    before = counting.__code__, adder.__code__, alone.__code__
    made = adder(1)

    neighbours.gather([f"{HERE}:counting", f"{HERE}:adder.<locals>.add", "nobody:knows.this"])

    after = counting.__code__, adder.__code__, alone.__code__
    assert [new is old for new, old in zip(after, before, strict=True)] == [False, False, True]
    assert list(begun) == [6, 7]
    assert list(counting(0)) == [0, 1, 2]
    assert (made(1), adder(2)(1), alone()) == (2, 3, "as it was")


def test_what_a_dataclass_wrote_is_named_as_it_was_written() -> None:
    before = Pair.__init__.__code__
    neighbours.gather([f"{HERE}:{before.co_qualname}"])
    assert Pair.__init__.__code__ is not before
    assert Pair(right=4) == Pair(1, 4)


def test_code_of_workers_lies_in_a_third_of_its_pages() -> None:
    command = [sys.executable, "-c", PAGES]
    said = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
    before, after = map(int, said.split())
    assert after < before / 3, said


def test_the_list_is_what_workers_run() -> None:
    """But for what another Python or a busier moment adds: a tenth of it."""
    command = [sys.executable, "-m", "tests.support.worker_functions"]
    said = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120, cwd=ROOT).stdout
    listed, recorded = ours(neighbours.of_workers()), ours(said.splitlines())
    assert len(listed) > 100
    assert len(listed ^ recorded) < len(listed) / 10, sorted(listed ^ recorded)


def ours(names: list[str]) -> set[str]:
    """Of Wherry's modules, without comprehensions, which Python 3.12 and later run in place."""
    return {each for each in names if each.startswith("wherry") and not each.endswith("comp>")}
