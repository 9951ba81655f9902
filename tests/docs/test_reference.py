"""Pages that are generated say what the code says."""

from __future__ import annotations

from tests.architecture.tree import ROOT
from wherry_cli.reference import reference


def test_the_command_reference_is_what_the_commands_say_of_themselves() -> None:
    assert (ROOT / "docs" / "cli-reference.md").read_text() == reference(), "run: make docs"
