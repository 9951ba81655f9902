"""Which manifest of an index runs here. Wasm is for every CPU: an entry that says so comes before any other."""

from __future__ import annotations

import platform

from wherry.errors import ArtifactError
from wherry.oci.descriptor import Descriptor
from wherry.oci.manifest import MANIFEST_TYPES, Index

ENTRY_LIMIT = 64
_WASM = frozenset({"wasm", "wasm32"})
_SYSTEMS = ("wasip2", "wasip1", "wasi")
_ATTESTATION = "vnd.docker.reference.type"
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}


def choose(index: Index, where: str) -> Descriptor:
    """Wasm entries by system, then one without a platform, then this CPU's, whose layout decides. Raises ArtifactError.

    Attestations and `unknown` platforms are no candidates; nor are indexes inside the index.
    """
    if len(index.manifests) > ENTRY_LIMIT:
        raise ArtifactError(f"{where}: got an index of {len(index.manifests)} entries, expected at most {ENTRY_LIMIT}")
    ranked = [(rank, entry) for entry in index.manifests if (rank := _rank(entry)) is not None]
    if not ranked:
        found = ", ".join(sorted({_platform(entry) for entry in index.manifests})) or "nothing"
        raise ArtifactError(
            f"{where}: got an index of {found[:200]}, expected wasi/wasm, no platform or linux/{_machine()}",
            cure="push the Wasm artifact under a tag of its own",
        )
    return min(ranked, key=lambda pair: pair[0])[1]


def _rank(entry: Descriptor) -> int | None:
    if entry.media_type not in (*MANIFEST_TYPES, "") or _ATTESTATION in entry.annotations:
        return None
    if entry.platform is None:
        return 10
    if entry.platform.architecture in _WASM:
        system = entry.platform.os.lower()
        return _SYSTEMS.index(system) if system in _SYSTEMS else len(_SYSTEMS)
    is_ours = entry.platform.os == "linux" and entry.platform.architecture == _machine()
    return 20 if is_ours else None


def _machine() -> str:
    return _MACHINES.get(platform.machine(), platform.machine())


def _platform(entry: Descriptor) -> str:
    return f"{entry.platform.os}/{entry.platform.architecture}" if entry.platform else "no platform"
