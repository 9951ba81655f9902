"""Pages that are generated say what the code says."""

from __future__ import annotations

import re
import tomllib

from tests.architecture.tree import ROOT
from wherry_cli.reference import reference


def test_the_command_reference_is_what_the_commands_say_of_themselves() -> None:
    assert (ROOT / "docs" / "cli-reference.md").read_text() == reference(), "run: make docs"


def test_the_layers_of_the_architecture_page_are_those_that_are_checked() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(each["layers"] for each in contracts if each["type"] == "layers")
    names = [re.sub(r"wherry[_.]", "", layer) for layer in layers]
    assert f"`{' → '.join(names)}`" in (ROOT / "docs" / "architecture.md").read_text()


def test_the_folders_of_the_architecture_page_are_those_of_the_tree() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    folders = {path.name for path in (ROOT / "core" / "wherry").iterdir() if (path / "__init__.py").exists()}
    assert folders == set(re.findall(r"^\| `core/wherry/(\w+)` \|", page, re.MULTILINE))
