"""One look into a registry: manifest, layout, signatures, bytes. Blocks, for a thread."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from wherry.errors import ArtifactError, RegistryError, VerificationError
from wherry.oci.access import WASM_LIMIT
from wherry.oci.cache import BlobCache, Unusable
from wherry.oci.cached import CachedReader
from wherry.oci.credentials import Credential, Keychain
from wherry.oci.fetch import fetched
from wherry.oci.manifest import Index, parse, parse_manifest
from wherry.oci.policy import Policy as Signatures
from wherry.oci.reference import Reference
from wherry.oci.registries import Registries
from wherry.oci.registry import RegistryRepository
from wherry.oci.remote import registry
from wherry.oci.resolve import Resolved, resolve
from wherry.oci.transport.addresses import is_loopback_host
from wherry.oci.transport.endpoint import host_of
from wherry.oci.transport.faults import fault
from wherry.oci.transport.patience import Patience
from wherry_operator.supply import binary, layout
from wherry_operator.supply.demands import Demand

PATIENCE = Patience(blob=20.0, rate=1 << 20, attempts=2, longest_wait=1.0, whole=180.0)
"""Waiting for better times is the loop's: a thread that sleeps is a transfer that nobody else makes."""
DOWNLOAD_LIMIT = 256 << 20
"""Bytes of one look: a binary, or the tar layers down to the one that holds it."""
PATH_LIMIT = 1000
_NEXT_CREDENTIAL = frozenset({"auth", "denied", "notfound"})


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a registry. Equal questions have one answer, which is given to nobody who asks another.

    credentials: tried one after another; empty is anonymous. refresh: value of the annotation that asks again.
    index: digest of an index that may name the reference's digest, so that its signatures count; "" for none.
    """

    reference: Reference
    credentials: tuple[Credential, ...]
    demands: tuple[Demand, ...]
    refresh: str = ""
    index: str = ""

    def at(self, digest: str) -> Question:
        """The same about a digest of the repository."""
        return replace(self, reference=self.reference.pinned(digest), refresh="", index="")


@dataclass(frozen=True, slots=True)
class Found:
    """What is at a reference, and whose signatures it has: fields of the same names in ArtifactStatus."""

    digest: str
    index: str
    wasm: str
    entrypoint: str
    binary: binary.Binary
    signed_by: tuple[str, ...]


@dataclass(frozen=True)
class Place:
    """scratch: a folder for what is being looked at, at most DOWNLOAD_LIMIT for each look."""

    scratch: Path
    registries: Registries
    patience: Patience = field(default=PATIENCE)
    wasm_limit: int = WASM_LIMIT


Recall = Callable[[Question], Found | None]
"""What is known of a question about a digest."""


def look(question: Question, place: Place, recall: Recall) -> Found:
    """Raises RegistryError, ArtifactError, SignatureRefused, Refused, Unusable (scratch), InputError (a CA)."""
    _check_host(question.reference, place.registries)
    signatures = [(demand, demand.signatures()) for demand in question.demands]
    refusal: RegistryError | None = None
    for credential in question.credentials or (None,):
        try:
            with registry(question.reference, place.registries, _only(credential), place.patience) as repository:
                return _within(repository, question, place, recall, signatures)
        except RegistryError as error:
            if error.kind not in _NEXT_CREDENTIAL:
                raise
            refusal = refusal or error
    assert refusal  # noqa: S101 - the loop ran
    raise refusal


def _check_host(reference: Reference, registries: Registries) -> None:
    """An app may not send the operator to what listens in its own Pod."""
    if reference.host not in registries and is_loopback_host(host_of(reference.host)):
        message = f"{reference}: {reference.host} is the loopback of whoever asks, here the operator"
        raise fault("policy", message, cure="say in the operator's registries file where that registry is")


@contextmanager
def _folder(scratch: Path) -> Iterator[Path]:
    try:
        folder = tempfile.TemporaryDirectory(dir=scratch)
    except OSError as error:
        raise Unusable(f"the operator's folder {scratch}: {error.strerror}") from None
    with folder as name:
        yield Path(name)


def _only(credential: Credential | None) -> Keychain:
    return Keychain(everywhere=credential)


def _within(
    repository: RegistryRepository,
    question: Question,
    place: Place,
    recall: Recall,
    signatures: Sequence[tuple[Demand, Signatures]],
) -> Found:
    with _folder(place.scratch) as folder:
        cache = BlobCache(folder)
        reader = CachedReader(repository, cache)
        resolved = _named(reader, resolve(reader, question.reference.target), question.index)
        if known := recall(question.at(resolved.digest)):
            return replace(known, index=resolved.index_digest)
        layout.check(resolved, parse_manifest(reader.manifest(resolved.digest), resolved.where))
        signed_by = [name for demand, each in signatures for name in _signers(repository, resolved, demand, each)]
        entrypoint = _entrypoint(resolved)
        path, wasm = fetched(repository, resolved, cache, place.wasm_limit, _Budget(resolved.where))
        found = binary.read(path, resolved.where)
    return Found(resolved.digest, resolved.index_digest, wasm, entrypoint, found, tuple(dict.fromkeys(signed_by)))


def _entrypoint(resolved: Resolved) -> str:
    """The path that becomes the Pod's command; "" for a layer. Raises ArtifactError for one that no status holds."""
    if len(resolved.program) > PATH_LIMIT or not resolved.program.isprintable():
        found = f"an entrypoint of {len(resolved.program)} characters"
        raise ArtifactError(f"{resolved.where}: got {found}, expected at most {PATH_LIMIT} that can be printed")
    return f"/{resolved.program}" if resolved.program else ""


def _named(reader: CachedReader, resolved: Resolved, index: str) -> Resolved:
    """With the index that a revision came from, if that does name the manifest."""
    if resolved.index_digest or not index:
        return resolved
    try:
        found = parse(reader.manifest(index), f"{reader.name}@{index}")
    except RegistryError as error:
        if error.kind != "notfound":
            raise
        return resolved
    names = isinstance(found, Index) and resolved.digest in {entry.digest for entry in found.manifests}
    return replace(resolved, index_digest=index) if names else resolved


class SignatureRefused(VerificationError):
    """digest: of the manifest that would run."""

    def __init__(self, digest: str, message: str, *, cure: str) -> None:
        super().__init__(message, cure=cure)
        self.digest = digest


def _signers(
    repository: RegistryRepository, resolved: Resolved, demand: Demand, signatures: Signatures
) -> tuple[str, ...]:
    try:
        return tuple(key.name for key in signatures.verified(repository, resolved).signers)
    except VerificationError as error:
        raise SignatureRefused(resolved.digest, f"{demand.by}: {error.message}", cure=error.cure) from None


class _Budget:
    """Progress that ends a look which would fill the disk."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._sizes: dict[str, int] = {}

    def total(self, label: str, size: int) -> None:
        """A transfer begins, perhaps once more."""
        self._sizes[label] = size
        if sum(self._sizes.values()) > DOWNLOAD_LIMIT:
            raise ArtifactError(f"{self._where}: got more than {DOWNLOAD_LIMIT} bytes to look through for its Wasm")

    def advance(self, _size: int) -> None:
        """Counted already."""
