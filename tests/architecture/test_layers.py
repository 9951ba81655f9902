"""Imports point down, and heavy libraries stay where they belong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT, imported, python_files

HEAVY = ("wasmtime", "oras", "rich", "requests", "asyncio", "cryptography", "yaml")
MODULES_OF_HELP = 130
"""Modules that a quick answer imports beyond Python's own start; most are click's."""
WASMTIME_LIVES_IN = ROOT / "core" / "wherry" / "engine"


def test_the_import_contracts_of_pyproject_hold() -> None:
    checker = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run([checker, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_wasmtime_is_imported_by_the_engine_alone() -> None:
    strangers = [
        str(path.relative_to(ROOT))
        for path in python_files("core", "cli", "operator", "shim")
        if "wasmtime" in imported(path) and WASMTIME_LIVES_IN not in path.parents
    ]
    assert strangers == []


ANSWER = """
import sys
before = set(sys.modules)
from wherry_cli.main import cli
cli.main([sys.argv[1]], standalone_mode=False)
print(*sorted(set(sys.modules) - before))
"""


@pytest.mark.parametrize("argument", ["--help", "version"])
def test_a_quick_answer_imports_nothing_heavy_and_little_at_all(argument: str) -> None:
    result = subprocess.run([sys.executable, "-c", ANSWER, argument], capture_output=True, text=True, check=True)
    imported = result.stdout.splitlines()[-1].split()
    assert {name.split(".")[0] for name in imported}.isdisjoint(HEAVY)
    assert 0 < len(imported) <= MODULES_OF_HELP
