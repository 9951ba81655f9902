"""A real API server with a node, an agent's Pod and DaemonSet, and the chart's rules for who asks."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from tests.agent.station import Station
from tests.support.apiserver import ENABLE, NO_ACCOUNTS, ApiServer, api_server, programs

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    if (folder := programs()) is None:
        pytest.skip(f"no kube-apiserver here: {ENABLE}")
    with api_server(tmp_path_factory.mktemp("api"), folder, NO_ACCOUNTS) as running:
        yield running


@pytest.fixture
def station(server: ApiServer, tmp_path_factory: pytest.TempPathFactory) -> Station:
    """Of its own: another namespace and another node for each test."""
    made = Station(server, tmp_path_factory.mktemp("station"), f"wherry-{next(_NUMBERS)}")
    made.prepare()
    return made
