"""Conversations of ttrpc, nearly right: a short run of the fuzz target."""

from __future__ import annotations

from itertools import islice

import pytest

from tests.fuzz import ttrpc


@pytest.mark.parametrize("seed", range(2))
def test_what_a_server_hears_is_answered_or_ends_the_connection(seed: int) -> None:
    for data in islice(ttrpc.to_servers(seed), 2000):
        ttrpc.run_server(data)


@pytest.mark.parametrize("seed", range(2))
def test_what_a_client_hears_ends_each_call_at_most_once(seed: int) -> None:
    for data in islice(ttrpc.to_clients(seed), 2000):
        ttrpc.run_client(data)
