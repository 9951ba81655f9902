"""`wherry version`: which parts, in which version, are at work."""

from __future__ import annotations

import json
import platform
from importlib import metadata

import click

ABSENT = "not installed"


def versions() -> dict[str, str]:
    """Version of each part; the engine is an extra and may be absent."""
    return {
        "wherry": metadata.version("wherry"),
        "wasmtime": installed("wasmtime"),
        "python": platform.python_version(),
        "platform": f"{platform.system().lower()}/{platform.machine()}",
    }


def installed(distribution: str) -> str:
    """Version of a distribution, read without importing it."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return ABSENT


@click.command("version")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(as_json: bool) -> None:
    """Show the versions of Wherry, its engine and Python."""
    parts = versions()
    if as_json:
        click.echo(json.dumps(parts))
        return
    for part, version in parts.items():
        click.echo(f"{part:<9} {version}")
