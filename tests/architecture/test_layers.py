"""Imports point down, and heavy libraries stay where they belong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT, imported, python_files

HEAVY = ("wasmtime", "oras", "rich", "requests", "asyncio", "cryptography", "yaml")
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


@pytest.mark.parametrize("argument", ["--help", "version"])
def test_a_quick_answer_imports_nothing_heavy(argument: str) -> None:
    program = f"""
import sys
from wherry_cli.main import cli
cli.main(["{argument}"], standalone_mode=False)
print("loaded:", *sorted({{name.split(".")[0] for name in sys.modules}} & set({HEAVY!r})))
"""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[-1].split() == ["loaded:"]
