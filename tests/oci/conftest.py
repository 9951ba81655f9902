"""Real registries, one of each kind for a test process: tests use repositories of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.artifacts import MODULE
from tests.support.registry import Registry, registry
from wherry.oci.access import Access


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with registry(tmp_path_factory.mktemp("plain")) as server:
        yield server


@pytest.fixture(scope="session")
def tls_password(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with registry(tmp_path_factory.mktemp("tls-password"), tls=True, password=True) as server:
        yield server


@pytest.fixture(scope="session")
def token(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with registry(tmp_path_factory.mktemp("token"), token=True) as server:
        yield server


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
