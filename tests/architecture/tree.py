"""The tree under test: which files are ours, and what is in them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = ("core", "cli", "operator", "shim")
CODE = (*SOURCES, "tests", "bench", "dashboard", "examples")
BUILT = {"build", "node_modules", "target", "__pycache__", ".venv"}
GENERATED = "*_pb2.py"


def python_files(*folders: str) -> list[Path]:
    """Every Python file below the folders that is written by hand."""
    found = (path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    return sorted(path for path in found if not BUILT & set(path.relative_to(ROOT).parts) and not path.match(GENERATED))


def written_files() -> list[Path]:
    """Every text file of the tree that a person wrote."""
    found = (path for path in ROOT.rglob("*") if path.is_file() and not hidden_or_built(path))
    return sorted(path for path in found if b"\0" not in path.read_bytes()[:4096])


def hidden_or_built(path: Path) -> bool:
    """Whether a tool made it: caches, environments, builds. `.ci` is ours."""
    parts = path.relative_to(ROOT).parts
    return any(part in BUILT or part.endswith(".egg-info") or (part[0] == "." and part != ".ci") for part in parts)


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method of a file."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def imported(path: Path) -> set[str]:
    """Top-level names of what a file imports, at any depth."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names
