"""An artifact where it lies, for commands that look at its signatures and not at its bytes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from wherry.errors import InvalidReference
from wherry.oci import source
from wherry.oci.access import Access, opened
from wherry.oci.resolve import Resolved, resolve, target_of
from wherry.oci.source import FileSource
from wherry.oci.store import Repository


@contextmanager
def located(text: str, access: Access) -> Iterator[tuple[Repository, Resolved]]:
    """The repository and manifest that text names. Raises InvalidReference for a file, RegistryError, ArtifactError."""
    place = source.parse(text)
    if isinstance(place, FileSource):
        raise InvalidReference(f"{place}: a file has no signatures", cure="push it first, and name where to")
    with opened(place, access) as repository:
        yield repository, resolve(repository, target_of(repository, place.target))
