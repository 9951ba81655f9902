"""`wherry completion SHELL`: the script that teaches a shell our commands."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

SHELLS = ("bash", "zsh", "fish")


@click.command("completion")
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the completion script of a shell.

    For bash: wherry completion bash > ~/.local/share/bash-completion/completions/wherry
    """
    completer = get_completion_class(shell)
    assert completer is not None  # noqa: S101  SHELLS are those that click has
    click.echo(completer(ctx.find_root().command, {}, "wherry", "_WHERRY_COMPLETE").source())
