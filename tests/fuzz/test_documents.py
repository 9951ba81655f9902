"""A brief run of the fuzzer; `python -m tests.fuzz.documents` runs it for longer."""

from __future__ import annotations

from itertools import islice

import pytest

from tests.fuzz import documents


@pytest.mark.parametrize("seed", range(2))
def test_documents_that_are_nearly_right_are_read_or_refused(seed: int) -> None:
    for text in islice(documents.inputs(seed), 300):
        documents.run(text)


def test_the_same_seed_makes_the_same_inputs() -> None:
    assert [*islice(documents.inputs(7), 20)] == [*islice(documents.inputs(7), 20)]
