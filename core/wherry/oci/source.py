"""Where a user says an artifact is: a registry, an OCI layout folder or a plain file. Told apart by the text alone.

| written | means |
|---|---|
| `oci:folder`, `oci:folder:tag`, `oci:folder@sha256:…` | an OCI image layout |
| `./x`, `../x`, `/x`, `app.wasm`, `build/app.wasm` | a file |
| anything else | a registry reference |
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from wherry.errors import InvalidReference
from wherry.oci import reference
from wherry.oci.digest import is_digest
from wherry.oci.reference import Reference

LAYOUT_SCHEME = "oci:"


@dataclass(frozen=True, slots=True)
class FolderSource:
    """A manifest of an OCI layout folder; target is a tag, a digest, or "" for the only manifest there."""

    path: Path
    target: str = ""

    def __str__(self) -> str:
        mark = "@" if is_digest(self.target) else ":"
        return f"{LAYOUT_SCHEME}{self.path}" + (f"{mark}{self.target}" if self.target else "")


@dataclass(frozen=True, slots=True)
class FileSource:
    """A Wasm file of this machine."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)


Source = Reference | FolderSource | FileSource


def parse(text: str) -> Source:
    """Raises InvalidReference."""
    if not text or "\0" in text:
        raise InvalidReference(f"artifact {text[:40]!r}: not a name", cure="write host/repository:tag or ./app.wasm")
    if text.startswith(LAYOUT_SCHEME):
        return _folder(text)
    if _is_path(text):
        return FileSource(Path(text))
    return reference.parse(text)


def _is_path(text: str) -> bool:
    if text.startswith(("/", "./", "../")):
        return True
    first, slash, _ = text.partition("/")
    return text.endswith(".wasm") and not (slash and reference.is_host(first))


def _folder(text: str) -> FolderSource:
    body = text.removeprefix(LAYOUT_SCHEME)
    path, at, target = body.partition("@")
    if at and not is_digest(target):
        raise InvalidReference(
            f"layout {text[:80]!r}: got the digest {target[:80]!r}, expected sha256: and 64 lower-case hex characters",
        )
    if not at:
        path, target = _split_tag(body)
    if not path:
        raise InvalidReference(f"layout {text[:80]!r}: no folder", cure="write oci:folder:tag")
    return FolderSource(Path(path), target)


def _split_tag(body: str) -> tuple[str, str]:
    head, colon, tag = body.rpartition(":")
    return (body, "") if not colon or "/" in tag else (head, tag)
