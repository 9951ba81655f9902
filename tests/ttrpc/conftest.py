"""What every test of the drivers has: a place for a socket, and a loop that does not hang."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

Play = Callable[[Coroutine[Any, Any, None]], None]
PATIENCE = 60.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "shim.sock"


@pytest.fixture
def play() -> Play:
    """Runs a story on a loop of its own, for a minute at most."""

    def run(story: Coroutine[Any, Any, None]) -> None:
        asyncio.run(asyncio.wait_for(story, PATIENCE))

    return run
