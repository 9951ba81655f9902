"""A brief run of the fuzzer; `python -m tests.fuzz.manifests` runs it for longer."""

from __future__ import annotations

from itertools import islice

import pytest

from tests.fuzz import manifests


@pytest.mark.parametrize("seed", range(2))
def test_artifacts_that_are_nearly_right_are_read_or_refused(seed: int) -> None:
    for run, data in islice(manifests.inputs(seed), 1200):
        run(data)
