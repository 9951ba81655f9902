"""What belongs to the Python that runs this: asked of itself, so that any Python can be put on a node."""

from __future__ import annotations

import os
import re
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath

from wherry_shim.node.libraries import is_elf

VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"

_WITHOUT = re.compile(
    r"tests?|idlelib|ensurepip|turtledemo|tkinter|lib2to3|distutils|venv|pydoc_data|curses|sqlite3|dbm|config-.*"
    r"|__pycache__|(site|dist)-packages"
)
"""Folders of the standard library that nothing on a node imports."""
_WITHOUT_FILES = re.compile(
    r"(_test|_ctypes_test|_tkinter|_sqlite3|_curses|_dbm|_gdbm|nis|readline|xx).*\.so"
    r"|turtle\.py|sitecustomize\.py|EXTERNALLY-MANAGED"
)


@dataclass(frozen=True, slots=True)
class Piece:
    """A file of the tree: where it comes from, and where it goes below the tree's root."""

    source: Path
    target: PurePath


def program() -> Path:
    """The interpreter's ELF file; in a tree of ours `sys.executable` is a script beside it."""
    named = Path(sys.executable).resolve()
    return named if is_elf(named) else named.with_name(f"python{VERSION}")


def library() -> PurePath:
    """Where the standard library lies below a prefix: `lib/python3.12`, on some systems `lib64/…`."""
    return PurePath(sys.platlibdir, f"python{VERSION}")


def standard_library() -> Iterator[Piece]:
    """The standard library without tests, editors, installers and databases."""
    root = Path(sysconfig.get_path("stdlib"))
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if not _WITHOUT.fullmatch(name)]
        inside = library() / Path(folder).relative_to(root)
        for name in files:
            if not _WITHOUT_FILES.fullmatch(name):
                yield Piece(Path(folder, name), inside / name)
