"""The committed adapter files are what their source says."""

from importlib.util import find_spec

import pytest

from wherry.engine.adapter.build import ADAPTERS, build
from wherry.engine.adapter.part import FOLDER


@pytest.mark.skipif(find_spec("ziglang") is None, reason="pip install ziglang, to build the adapters")
@pytest.mark.parametrize("adapter", ADAPTERS)
def test_building_an_adapter_gives_the_committed_bytes(adapter: str) -> None:
    assert build(adapter) == (FOLDER / f"{adapter}.wasm").read_bytes()
