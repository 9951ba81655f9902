"""A tree's list of contents: what was put there, so that anyone can see later that it still is."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

FILE = "manifest.json"
_COMPILED = ".pyc"


@dataclass(frozen=True)
class Manifest:
    """version: Wherry's. files: sha256 in hex by path below the tree's root. size: of all files, in bytes."""

    version: str
    files: Mapping[str, str]
    size: int

    @property
    def name(self) -> str:
        """A folder name that is the same for the same content. Compiled files follow from the others."""
        lines = (f"{path} {digest}\n" for path, digest in sorted(self.files.items()) if not path.endswith(_COMPILED))
        return f"{self.version}-{hashlib.sha256(''.join(lines).encode()).hexdigest()[:12]}"

    def json(self) -> str:
        """As it is written into the tree."""
        return json.dumps({"version": self.version, "size": self.size, "files": self.files}, indent=1, sort_keys=True)


def read(root: Path) -> Manifest:
    """The manifest of a tree. Raises OSError or ValueError when there is none that can be read."""
    fields = json.loads((root / FILE).read_text())
    return Manifest(str(fields["version"]), dict(fields["files"]), int(fields["size"]))


def take(root: Path, version: str) -> Manifest:
    """The manifest of what lies below root now."""
    paths = sorted(_files(root))
    return Manifest(version, {path: _digest(root / path) for path in paths}, sum(_size(root / path) for path in paths))


def differences(root: Path, manifest: Manifest) -> list[str]:
    """Paths that are missing, changed, or were not put there; empty when the tree is intact."""
    there = set(_files(root))
    return sorted(
        path
        for path in there | set(manifest.files)
        if path not in there or path not in manifest.files or _digest(root / path) != manifest.files[path]
    )


def _files(root: Path) -> Iterator[str]:
    for folder, _, names in os.walk(root):
        for name in names:
            path = str((Path(folder) / name).relative_to(root))
            if path != FILE:
                yield path


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _size(path: Path) -> int:
    return path.stat().st_size
