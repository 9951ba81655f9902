"""How the command line fails: one sentence and its cure on stderr, and an exit code that means something."""

from __future__ import annotations

import os
import sys

import click

from wherry.errors import InputError, WherryError
from wherry.plan.ending import EXIT_START

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130


def colour() -> bool | None:
    """False where NO_COLOR asks for none; None lets the stream decide: a terminal has colours, a pipe has not."""
    return False if os.environ.get("NO_COLOR") else None


def say(text: str) -> None:
    """One line on stderr."""
    click.echo(text, err=True, color=colour())


def note(text: str) -> None:
    """Something worth knowing that is no fault."""
    say(f"wherry: {text}")


def report(fault: click.ClickException | WherryError, command: str) -> int:
    """Say what is wrong and what to do; the exit code of `command` for it."""
    if isinstance(fault, click.exceptions.NoArgsIsHelpError):
        say(fault.format_message())
        return EXIT_USAGE
    for line in sentences(fault):
        say(f"{click.style('wherry:', fg='red', bold=True)} {line}")
    if cure := cure_of(fault):
        say(f"  {click.style('try:', bold=True)} {cure}")
    return exit_code(fault, command)


def of_the_system(error: OSError) -> WherryError:
    """What the system refused, in its own words: a full disk, a folder that is not ours."""
    where = error.filename if isinstance(error.filename, str) else "the system"
    return WherryError(f"{where}: {error.strerror or error}")


def sentences(fault: click.ClickException | WherryError) -> list[str]:
    """The fault's own words; a document with several wrong fields has a line for each."""
    text = fault.message if isinstance(fault, WherryError) else fault.format_message()
    return text.rstrip().splitlines()


def cure_of(fault: click.ClickException | WherryError) -> str:
    """What to do about it; a wrong usage is cured by the command's own help."""
    if isinstance(fault, WherryError):
        return fault.cure
    if isinstance(fault, click.NoSuchOption) and fault.ctx is not None and fault.ctx.info_name == "run":
        return "give the guest its own options after --"
    if isinstance(fault, click.UsageError) and fault.ctx is not None:
        return f"{fault.ctx.command_path} --help"
    return ""


def exit_code(fault: click.ClickException | WherryError, command: str) -> int:
    """125 for whatever kept `run` from starting (1 and 2 belong to the guest); else 2 for input, 1 for the rest."""
    if command == "run":
        return EXIT_START
    return EXIT_USAGE if isinstance(fault, (click.ClickException, InputError)) else EXIT_FAILED


def report_bug(bug: Exception) -> int:
    """Admit a bug: where to report it, and with WHERRY_DEBUG the traceback."""
    say(f"wherry: a bug in wherry: {type(bug).__name__}: {bug}")
    say(f"  try: WHERRY_DEBUG=1 shows the traceback; please report it: {where_to_report()}")
    if os.environ.get("WHERRY_DEBUG"):
        import traceback  # noqa: PLC0415

        traceback.print_exception(bug, file=sys.stderr)
    return EXIT_FAILED


def where_to_report() -> str:
    """The distribution's own `Issues` URL."""
    from importlib import metadata  # noqa: PLC0415  a fifth of the time of `wherry --help`

    links = metadata.metadata("wherry").get_all("Project-URL") or []
    return next((link.partition(", ")[2] for link in links if link.startswith("Issues,")), "the place you got it from")


def silence_stdout() -> None:
    """What could not be written would be tried again at exit, and change the exit code."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
