"""Real registries, one of each kind for a test process: tests use repositories of their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.supply.world import World
from tests.support.control_plane import ENABLE, ControlPlane, control_plane, programs
from tests.support.registry import Registry, registry


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with registry(tmp_path_factory.mktemp("plain")) as server:
        yield server


@pytest.fixture(scope="session")
def password(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with registry(tmp_path_factory.mktemp("password"), tls=True, password=True) as server:
        yield server


@pytest.fixture(scope="session")
def token(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with registry(tmp_path_factory.mktemp("token"), token=True) as server:
        yield server


@pytest.fixture
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="session")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    if (folder := programs()) is None:
        pytest.skip(f"no control plane here: {ENABLE}")
    with control_plane(tmp_path_factory.mktemp("plane"), folder) as running:
        yield running
