"""A registry that fails or lies never makes an artifact look signed: it is one typed error."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.oci.signature.signers import signer
from tests.support.hostile_handler import GOOD, Hostile
from tests.support.hostile_registry import hostile_registry
from wherry.errors import RegistryError, VerificationError
from wherry.oci.access import Access, opened
from wherry.oci.reference import parse
from wherry.oci.signature import verify
from wherry.oci.transport.patience import Patience

PATIENCE = Patience(connect=5, idle=2, small=5, blob=5, attempts=1)
KEY = signer().public


@pytest.fixture(scope="module")
def hostile() -> Iterator[Hostile]:
    with hostile_registry() as server:
        yield server


def verify_at(hostile: Hostile, case: str, cache: Path) -> None:
    reference = parse(f"{hostile.host}/t/{case}:v1")
    with opened(reference, Access(cache, patience=PATIENCE)) as repository:
        verify(repository, GOOD.manifest.digest, [KEY])


@pytest.mark.parametrize("case", ["e401", "e403", "e418", "e429", "e500", "e503", "gone", "garbage", "endless-head"])
def test_a_registry_that_cannot_be_read_is_not_one_without_signatures(
    hostile: Hostile, case: str, tmp_path: Path
) -> None:
    """Who signed is unknown then, and a retry may help: another error than for an unsigned artifact."""
    with pytest.raises(RegistryError):
        verify_at(hostile, case, tmp_path)


@pytest.mark.parametrize(
    "case",
    [
        "e404",
        "manifest-html-typed",
        "manifest-list",
        "manifest-deep",
        "manifest-latin",
        "manifest-twice",
        "manifest-nan",
        "manifest-big",
        "manifest-schema1",
        "manifest-both",
        "manifest-annotations",
        "manifest-layers-many",
        "manifest-no-config",
        "index-nested",
        "index-empty",
        "index-long",
        "digest-evil",
        "size-negative",
        "size-huge",
    ],
)
def test_what_a_lying_registry_calls_signatures_is_none(hostile: Hostile, case: str, tmp_path: Path) -> None:
    with pytest.raises(VerificationError, match="expected signatures by 1 of the given keys"):
        verify_at(hostile, case, tmp_path)
