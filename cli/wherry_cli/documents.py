"""What a command was given, as WasmApps: a document of a file, or the smallest one around an artifact."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from wherry.errors import InputError
from wherry.spec.model import API_VERSION, KIND, WasmApp
from wherry.spec.parse import parse
from wherry_cli.settings import Setting, with_settings

SUFFIXES = (".yaml", ".yml", ".json")
LISTED = 10


def app_of(target: str, name: str, settings: Sequence[Setting]) -> WasmApp:
    """The WasmApp to run. name: which one of several, "" when there is one. Raises InputError, InvalidApp."""
    return chosen(apps_of(target, settings), name, target)


def apps_of(target: str, settings: Sequence[Setting]) -> tuple[WasmApp, ...]:
    """Every WasmApp of a document, or the one around an artifact. Raises InputError, InvalidApp."""
    text = read(Path(target)) if target.endswith(SUFFIXES) else around(target)
    return parse(with_settings(text, settings), target)


def read(path: Path) -> str:
    """A document's text. Raises InputError."""
    try:
        return path.read_text()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}", cure="name a readable WasmApp document") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: got bytes that are no text, expected a WasmApp document") from error


def around(artifact: str) -> str:
    """The document that says nothing but which artifact runs."""
    spec = {"artifact": artifact}
    return json.dumps({"apiVersion": API_VERSION, "kind": KIND, "metadata": {"name": "app"}, "spec": spec})


def chosen(apps: Sequence[WasmApp], name: str, source: str) -> WasmApp:
    """The app of that name, or the only one. Raises InputError, which lists them."""
    found = [app for app in apps if name in ("", app.metadata.name)]
    if len(found) == 1:
        return found[0]
    names = ", ".join(sorted(app.metadata.name for app in apps)[:LISTED])
    if name:
        raise InputError(f"{source}: no WasmApp is named {name}, found {names}")
    raise InputError(f"{source}: holds {len(apps)} WasmApps ({names})", cure="choose one with --name")
