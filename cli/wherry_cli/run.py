"""`wherry run`: a WasmApp, an artifact or a Wasm file, on this machine, by the engine that a cluster uses."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from wherry.engine.host import Host, Serving, silent
from wherry.errors import InputError
from wherry.oci.access import Access
from wherry.plan.from_app import Local
from wherry.plan.from_container import from_container
from wherry.plan.model import RunPlan
from wherry_cli import grants, options
from wherry_cli.failure import note, say
from wherry_cli.keys import keys_of
from wherry_cli.prepare import Request, prepare
from wherry_cli.settings import setting
from wherry_cli.watch import Watch

LOOPBACK = "127.0.0.1"
EVERYWHERE = "::"
ENGINE = ("httptools", "uvloop", "wasmtime")
"""What the extra `engine` brings: without it everything works but this command."""


@dataclass(frozen=True)
class Flags:
    """The command line as typed; a field for each option below."""

    words: tuple[str, ...]
    name: str
    port: int | None
    env: tuple[str, ...]
    env_file: tuple[Path, ...]
    mount: tuple[str, ...]
    settings: tuple[str, ...]
    wasm: Path | None
    keys: tuple[Path, ...]
    watch: bool
    plan: Path | None
    workers: int
    reuse: int
    address: str | None
    admin: str | None
    access_log: bool
    max_body: int | None
    quiet: bool


@click.command("run")
@click.argument("words", metavar="TARGET [-- ARGS...]", nargs=-1)
@click.option("--name", default="", help="Which WasmApp, where the file holds several.")
@click.option("--port", type=click.IntRange(1, 65535), help="Serve here instead of spec.port.")
@click.option("-e", "--env", multiple=True, metavar="NAME[=VALUE]", help="A variable; alone, with its value here.")
@click.option("--env-file", multiple=True, type=options.FILE, help="Variables, one on each line.")
@click.option("--mount", multiple=True, metavar="NAME=DIR", help="The folder for the file grant of that name.")
@click.option("--set", "settings", multiple=True, metavar="PATH=VALUE", help="A field for this run: spec.port=81.")
@click.option("--wasm", type=options.FILE, help="Run this file instead of the artifact.")
@click.option("--key", "keys", multiple=True, type=options.FILE, help="Run only what this public key has signed.")
@click.option("--watch", is_flag=True, help="Serve what changes, without losing a request.")
@click.option("--plan", type=options.FILE, help="A plan as JSON; --wasm is its module, TARGET has only arguments.")
@click.option("--workers", type=click.IntRange(0, 1024), default=0, help="Processes that serve; 0 is one a core.")
@click.option("--reuse", type=click.IntRange(1), default=1, help="Requests that an instance serves, if it can.")
@click.option("--address", help="Listen here: 127.0.0.1, or every address with --plan.")
@click.option("--admin", metavar="HOST:PORT", help="Serve Prometheus metrics here.")
@click.option("--access-log", is_flag=True, help="Write a line of JSON for each request.")
@click.option("--max-body", type=options.Bytes(), help="Refuse larger request bodies: 16Mi.")
@click.option("-q", "--quiet", is_flag=True, help="Only what the guest says, and errors.")
@options.registry
def command(access: Access, **given: Any) -> None:
    """Run a WasmApp, an artifact or a Wasm file on this machine.

    TARGET is a WasmApp document (.yaml, .yml, .json), a reference, oci:FOLDER:TAG or a .wasm file.
    What follows -- are the guest's arguments.
    """
    flags = Flags(**given)
    if flags.plan:
        raise click.exceptions.Exit(end(flags, contained(flags, os.environ), None))
    request = requested(flags, os.environ)
    prepared = prepare(request, access)
    if flags.watch and prepared.plan.run != "http":
        raise click.UsageError("--watch: a command runs once; only http is served again when it changes.")
    watch = Watch(prepared, lambda: prepare(request, access)) if flags.watch else None
    raise click.exceptions.Exit(end(flags, prepared.plan, watch))


def requested(flags: Flags, environ: Mapping[str, str]) -> Request:
    """What is to run, with everything that this machine grants. Raises InputError, UsageError."""
    if not flags.words:
        raise click.UsageError("Missing argument 'TARGET': a WasmApp document, a reference or a .wasm file.")
    target, *args = flags.words
    env = grants.environment(flags.env_file, flags.env, environ)
    local = Local(env=env, mounts=grants.mounts(flags.mount), port=flags.port, args=tuple(args) or None)
    settings = tuple(map(setting, flags.settings))
    return Request(target, flags.name, settings, local, flags.wasm, keys_of(flags.keys))


def contained(flags: Flags, environ: Mapping[str, str]) -> RunPlan:
    """The plan of a container: its annotation's JSON, its process's environment. Raises StartError, UsageError."""
    if flags.wasm is None:
        raise click.UsageError("--plan needs --wasm, the module that it runs.")
    assert flags.plan is not None  # noqa: S101  only called with one
    mountinfo = Path("/proc/self/mountinfo").read_text()
    text = options.contents("--plan", flags.plan).decode(errors="replace")
    return from_container(text, str(flags.wasm), flags.words, environ, mountinfo)


def end(flags: Flags, plan: RunPlan, watch: Watch | None) -> int:
    """Run to the end; its exit code. What the end was is said when it was not the guest's own."""
    address = flags.address or (EVERYWHERE if flags.plan else LOOPBACK)
    serving = Serving(access_log=flags.access_log, max_body=flags.max_body)
    report = silent if flags.quiet else note
    host = Host(
        address=address, workers=flags.workers, reuse=flags.reuse, admin=flags.admin, report=report, serving=serving
    )
    try:
        from wherry.engine.run import run  # noqa: PLC0415 - it may not be installed

        ending = run(plan, host, watch)
    except ModuleNotFoundError as absent:
        if absent.name not in ENGINE:
            raise
        raise InputError("the engine is not installed", cure="pip install 'wherry[engine]'") from absent
    if ending.category not in {"exit", "signal"}:
        say(ending.message)
    return ending.code
