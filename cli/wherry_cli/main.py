"""The `wherry` process: from argv to an exit code. What goes wrong ends here, in one place."""

from __future__ import annotations

import errno
import sys

import click

from wherry.errors import WherryError
from wherry_cli import failure
from wherry_cli.commands import LazyGroup


class Wherry(LazyGroup):
    """The top of the command tree: knows which command was asked for when something goes wrong in it."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except (click.ClickException, WherryError) as fault:
            raise click.exceptions.Exit(failure.report(fault, ctx.invoked_subcommand or "")) from fault
        except OSError as error:
            if error.errno == errno.EPIPE:  # click ends quietly when the reader of a pipe has gone
                raise
            refused = failure.of_the_system(error)
            failure.silence_stdout()
            raise click.exceptions.Exit(failure.report(refused, ctx.invoked_subcommand or "")) from error


@click.group(cls=Wherry, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def cli() -> None:
    """WebAssembly on Kubernetes beside ordinary containers: push once, run anywhere.

    Exit codes: 0 done; 1 refused or failed; 2 wrong usage or input. `wherry run`: the guest's own, and 124 limit,
    125 could not start, 134 trap, 128+n signal.
    """


def name_of(program: str) -> str:
    """What the user has typed: kubectl's plugins are programs with a dash where people type a blank."""
    return "kubectl wherry" if program.endswith("kubectl-wherry") else "wherry"


def main() -> None:
    """The console entry: never returns. `kubectl wherry` finds it under a name of its own."""
    try:
        sys.exit(cli.main(prog_name=name_of(sys.argv[0]), standalone_mode=False, color=failure.colour()))
    except click.ClickException as fault:
        sys.exit(failure.report(fault, ""))
    except click.Abort:
        sys.exit(failure.EXIT_INTERRUPTED)
    except Exception as bug:  # the last line of defence: a bug is reported, not thrown at the user
        sys.exit(failure.report_bug(bug))
