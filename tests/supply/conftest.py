"""What supplying has around it; and a cluster that an admission policy closes, for itself."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.supply.world import World
from tests.support.control_plane import ENABLE, ControlPlane, control_plane, programs


@pytest.fixture
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="session")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    if (folder := programs()) is None:
        pytest.skip(f"no control plane here: {ENABLE}")
    with control_plane(tmp_path_factory.mktemp("plane"), folder) as running:
        yield running
