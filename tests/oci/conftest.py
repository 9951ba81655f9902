"""Who asks registries, and what is pushed to them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.artifacts import MODULE
from wherry.oci.access import Access


@pytest.fixture
def access(tmp_path: Path) -> Access:
    """Nobody special, with a cache of this test's own."""
    return Access(tmp_path / "cache")


@pytest.fixture
def wasm(tmp_path: Path) -> Path:
    """A module with nothing but `_start`."""
    path = tmp_path / "hello.wasm"
    path.write_bytes(MODULE)
    return path
