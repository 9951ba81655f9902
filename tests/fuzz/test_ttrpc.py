"""Conversations of ttrpc, nearly right: a short run of the fuzz target."""

from __future__ import annotations

from itertools import islice

import pytest

from tests.fuzz import ttrpc


@pytest.mark.parametrize("seed", range(2))
def test_what_a_server_hears_is_answered_or_ends_the_connection(seed: int) -> None:
    outcomes = {ttrpc.run_server(data) for data in islice(ttrpc.to_servers(seed), 2000)}
    assert outcomes == {"goes on", "ended"}


@pytest.mark.parametrize("seed", range(2))
def test_what_a_client_hears_ends_each_call_at_most_once(seed: int) -> None:
    answered = [ttrpc.run_client(data) for data in islice(ttrpc.to_clients(seed), 2000)]
    assert set(map(len, answered)) == {0, 1, 2, 3}
    assert all(len(set(streams)) == len(streams) for streams in answered)
