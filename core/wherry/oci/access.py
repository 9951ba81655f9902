"""What transfers need to know of this machine and its user: nothing is taken from the environment unless named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from wherry.oci import credentials
from wherry.oci.credentials import Keychain
from wherry.oci.folder import FolderRepository
from wherry.oci.reference import Reference
from wherry.oci.registries import Registries
from wherry.oci.source import FolderSource
from wherry.oci.store import Repository
from wherry.oci.transport.patience import Patience

WASM_LIMIT = 64 << 20


@dataclass(frozen=True)
class Access:
    """cache: folder of blobs. registries: the registries file. keychain: who we are. wasm_limit: bytes of a binary."""

    cache: Path
    registries: Registries = field(default_factory=dict)
    keychain: Keychain = field(default_factory=Keychain)
    patience: Patience = field(default_factory=Patience)
    wasm_limit: int = WASM_LIMIT


def docker_config(environ: Mapping[str, str], home: Path) -> Path:
    """Where Docker keeps its logins: `$DOCKER_CONFIG/config.json`, else `~/.docker/config.json`."""
    return Path(environ.get("DOCKER_CONFIG") or home / ".docker") / "config.json"


def user_keychain(environ: Mapping[str, str], home: Path) -> Keychain:
    """The user's own logins; empty when there are none. Raises InputError for a file that is there and wrong."""
    path = docker_config(environ, home)
    return credentials.load(path) if path.exists() else Keychain()


@contextmanager
def opened(place: Reference | FolderSource, access: Access, *, create: bool = False) -> Iterator[Repository]:
    """The repository of a reference or a layout folder. create: make the folder when it is not there."""
    if isinstance(place, FolderSource):
        yield FolderRepository(place.path, create=create)
        return
    from wherry.oci import remote  # noqa: PLC0415 - oras-py takes 100 ms to import, and a file needs none of it

    with remote.registry(place, access.registries, access.keychain, access.patience) as repository:
        yield repository
