"""The command table: a name and a line of help for each, and the import that waits until one is chosen.

`wherry --help` must not import a registry client or an engine to print seven lines.
"""

from __future__ import annotations

import importlib

import click

COMMANDS = {
    "push": "Push a Wasm file to a registry or an OCI layout folder.",
    "pull": "Fetch an artifact's Wasm file, checked byte for byte.",
    "inspect": "Show what an artifact or a file is, and what it will ask for.",
    "run": "Run a WasmApp, an artifact or a Wasm file on this machine.",
    "render": "Show the Kubernetes objects that a WasmApp becomes.",
    "sign": "Sign an artifact with a private key.",
    "verify": "Check an artifact's signatures against public keys, offline.",
    "status": "Show what an app in a cluster runs, and what is in its way.",
    "logs": "Show what an app in a cluster has written.",
    "rollback": "Go back to a revision that an app has run before.",
    "scale": "Change how many Pods an app in a cluster has.",
    "completion": "Print the completion script of a shell.",
    "version": "Show the versions of Wherry, its engine and Python.",
}
"""Each name is a module of this package whose `command` is the click command."""


class LazyGroup(click.Group):
    """A group that imports a subcommand's module when it is used, and not to list it."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(f"wherry_cli.{cmd_name}").command
        assert isinstance(command, click.Command)  # noqa: S101  narrows what import_module cannot type
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))
