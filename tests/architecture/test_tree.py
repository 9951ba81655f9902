"""The shape of the tree: names, sizes, and what must never be in it."""

from __future__ import annotations

import re
import statistics

import pytest

from tests.architecture.tree import CODE, ROOT, SOURCES, functions, python_files, written_files

VAGUE = {"utils", "util", "helpers", "helper", "manager", "base", "common", "misc"}
LONGEST_FILE = 400
LONGEST_FUNCTION = 50
MEDIAN_FUNCTION = 10

PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----\s+[A-Za-z0-9+/=]{32}")
HOME_OR_CHECKOUT = re.compile(r"(?<![\w.~}])/(?:work|root|home/\w+)/\w")


def test_no_folder_shadows_the_operator_module_of_python() -> None:
    assert not (ROOT / "operator" / "__init__.py").exists()
    assert not (ROOT / "tests" / "operator").exists()
    assert not (ROOT / "tests" / "__init__.py").exists()


def test_no_file_has_a_name_that_says_nothing() -> None:
    assert [str(path) for path in python_files(*CODE) if path.stem.strip("_") in VAGUE] == []


def test_no_file_is_longer_than_a_reader_can_hold() -> None:
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in python_files(*CODE)}
    assert {path: lines for path, lines in lengths.items() if lines >= LONGEST_FILE} == {}


def test_no_function_is_longer_than_a_screen() -> None:
    lengths = {
        f"{path.relative_to(ROOT)}:{function.lineno} {function.name}": 1 + (function.end_lineno or 0) - function.lineno
        for path in python_files(*CODE)
        for function in functions(path)
    }
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_FUNCTION} == {}


def test_the_median_function_is_short() -> None:
    lengths = [
        1 + (function.end_lineno or 0) - function.lineno
        for path in python_files(*SOURCES)
        for function in functions(path)
    ]
    assert statistics.median(lengths) <= MEDIAN_FUNCTION


def test_every_source_file_says_what_belongs_in_it() -> None:
    silent = [
        path
        for path in python_files(*CODE)
        if path.stat().st_size and not path.read_text().startswith(('"""', "#!", 'r"""'))
    ]
    assert [str(path.relative_to(ROOT)) for path in silent] == []


@pytest.mark.parametrize(
    "forbidden", [pytest.param(PRIVATE_KEY, id="a private key"), pytest.param(HOME_OR_CHECKOUT, id="somebody's folder")]
)
def test_nothing_private_is_in_the_tree(forbidden: re.Pattern[str]) -> None:
    found = {
        str(path.relative_to(ROOT)): match.group()
        for path in written_files()
        if (match := forbidden.search(path.read_text(errors="replace")))
    }
    assert found == {}
