"""docs/cli-reference.md, generated: what `--help` says of each command. `make docs` writes it, a test compares."""

from __future__ import annotations

import sys

import click

from wherry_cli.commands import COMMANDS
from wherry_cli.main import cli

INTRODUCTION = """\
# Command reference

Generated from the commands themselves by `make docs`. [cli.md](cli.md) says how they are meant.
"""


def reference() -> str:
    """The page."""
    top = click.Context(cli, info_name="wherry", max_content_width=100, terminal_width=100)
    return "\n".join([INTRODUCTION, *(section(top, name) for name in COMMANDS)])


def section(top: click.Context, name: str) -> str:
    """One command as its own help shows it."""
    command = cli.get_command(top, name)
    assert command is not None  # noqa: S101  the name is from the table
    text = command.get_help(click.Context(command, parent=top, info_name=name))
    return f"## wherry {name}\n\n```text\n{text}\n```\n"


if __name__ == "__main__":
    sys.stdout.write(reference())
