"""A shell for each test; compiled code is shared by all, as on a person's machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.process import Shell


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def shell(tmp_path: Path, cache: Path) -> Shell:
    folder = tmp_path / "work"
    folder.mkdir()
    return Shell(folder, cache)
