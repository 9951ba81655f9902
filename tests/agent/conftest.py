"""A node, an agent's Pod and DaemonSet, and the chart's rules for who asks."""

from __future__ import annotations

import itertools

import pytest

from tests.agent.station import Station
from tests.support.apiserver import ApiServer

_NUMBERS = itertools.count(1)


@pytest.fixture
def station(server: ApiServer, tmp_path_factory: pytest.TempPathFactory) -> Station:
    """Of its own: another namespace and another node for each test."""
    made = Station(server, tmp_path_factory.mktemp("station"), f"wherry-{next(_NUMBERS)}")
    made.prepare()
    return made
