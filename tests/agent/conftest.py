"""A node, an agent's Pod and its DaemonSet in a real API server, and the chart's rules for who asks."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from tests.agent.station import Station
from tests.support.apiserver import ApiServer

_NUMBERS = itertools.count(1)


@pytest.fixture
def station(server: ApiServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Station]:
    """Of its own: another namespace and another node for each test."""
    made = Station(server, tmp_path_factory.mktemp("station"), f"wherry-{next(_NUMBERS)}")
    made.prepare()
    yield made
    server.ask("DELETE", f"/api/v1/nodes/{made.node}")
