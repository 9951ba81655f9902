"""Shared libraries of ELF files: which ones a file needs, as the machine's own dynamic loader finds them."""

from __future__ import annotations

import re
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

from wherry_shim.node.fault import NodeError

_MAGIC = b"\x7fELF"
_PT_INTERP = 3
_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_SEGMENT = struct.Struct("<IIQQQQQQ")
_FOUND = re.compile(r"^\s*(?P<name>\S+) => (?P<path>/\S+)", re.MULTILINE)


def is_elf(path: Path) -> bool:
    """Whether the file is a program or library of this system."""
    with path.open("rb") as file:
        return file.read(4) == _MAGIC


def loaded_part(file: bytes) -> bytes:
    """An ELF file without what is never loaded: symbols for debuggers, a third of a tree. Other files as they are."""
    if not file.startswith(_MAGIC):
        return file
    fields = list(_HEADER.unpack_from(file))
    table, size, count = fields[5], fields[9], fields[10]
    segments = _SEGMENT.iter_unpack(file[table : table + size * count])
    end = max(offset + length for _, _, offset, _, _, length, _, _ in segments)
    # The table of sections lies behind: nothing may point to it any more.
    fields[6] = fields[11] = fields[12] = fields[13] = 0
    return _HEADER.pack(*fields) + file[_HEADER.size : max(end, table + size * count)]


def interpreter(program: Path) -> Path:
    """The dynamic loader that a 64-bit little-endian program names. Raises NodeError when it names none."""
    with program.open("rb") as file:
        fields = _HEADER.unpack(file.read(_HEADER.size))
        table, size, count = fields[5], fields[9], fields[10]
        file.seek(table)
        for segment in _SEGMENT.iter_unpack(file.read(size * count)):
            if segment[0] == _PT_INTERP:
                file.seek(segment[2])
                return Path(file.read(segment[5]).rstrip(b"\0").decode())
    raise NodeError(f"{program}: names no dynamic loader", cure="use a Python that is dynamically linked")


@dataclass(frozen=True)
class Loader:
    """A dynamic loader as a program (ld.so(8)); glibc 2.33 is the first that can do all that we ask of it."""

    path: Path

    def check(self) -> None:
        """Raises NodeError for a loader that cannot start a program under another name."""
        said = subprocess.run([self.path, "--help"], capture_output=True, text=True, check=False).stdout
        if "--argv0" not in said or "--inhibit-cache" not in said:
            raise NodeError(
                f"{self.path}: knows no --argv0, expected the loader of glibc 2.33 or later",
                cure="use a newer Python image, such as python:3.12-slim-bookworm",
            )

    def needed(self, file: Path) -> dict[str, Path]:
        """Name and path of every library that the file needs, at any depth. What is not found is left out."""
        done = subprocess.run([self.path, "--list", file], capture_output=True, text=True, check=False)
        return {found["name"]: Path(found["path"]) for found in _FOUND.finditer(done.stdout)}
