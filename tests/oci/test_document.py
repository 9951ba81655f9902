"""JSON from strangers: what costs more memory than it has bytes is refused before it is built."""

from __future__ import annotations

import pytest

from wherry.errors import ArtifactError
from wherry.oci.document import COMMAS_LIMIT, parse_object


def test_a_document_of_countless_values_is_refused_unread() -> None:
    data = b'{"a":[' + b"[]," * COMMAS_LIMIT + b"[],[]]}"
    with pytest.raises(ArtifactError, match=f"{COMMAS_LIMIT + 1} commas, expected at most {COMMAS_LIMIT}"):
        parse_object(data, "here")


def test_a_document_at_the_limit_is_read() -> None:
    data = b'{"a":[' + b"1," * COMMAS_LIMIT + b"1]}"
    assert len(parse_object(data, "here")["a"]) == COMMAS_LIMIT + 1
