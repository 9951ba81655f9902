"""Heads of requests and responses, nearly right: a short run of the fuzz target."""

from __future__ import annotations

from itertools import islice

import pytest

from tests.fuzz import heads


@pytest.mark.parametrize("seed", range(2))
def test_requests_that_are_nearly_right_are_served_or_refused(seed: int) -> None:
    for data in islice(heads.requests(seed), 2000):
        heads.run_request(data)


@pytest.mark.parametrize("seed", range(2))
def test_responses_that_are_nearly_right_are_sent_or_refused(seed: int) -> None:
    for data in islice(heads.responses(seed), 2000):
        heads.run_response(data)
