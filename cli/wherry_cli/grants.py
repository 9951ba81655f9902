"""What a person grants on the command line: environment variables and folders.

| written | means |
|---|---|
| `--env NAME=VALUE` | that value |
| `--env NAME` | the value this process has |
| `--env-file FILE` | a NAME=VALUE or NAME on each line; blank lines and lines with # at the start are skipped |
| `--mount NAME=DIR` | the folder for the WasmApp's file grant of that name |
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from wherry.errors import InputError

VARIABLE = re.compile(r"[^=\0]+")


def environment(files: Iterable[Path], given: Iterable[str], environ: Mapping[str, str]) -> dict[str, str]:
    """Every variable granted, the files' first, so that the command line has the last word. Raises InputError."""
    found: dict[str, str] = {}
    for file in files:
        for number, line in enumerate(read(file).splitlines(), start=1):
            if line.strip() and not line.startswith("#"):
                found |= variable(f"{file}:{number}", line, environ)
    for text in given:
        found |= variable("--env", text, environ)
    return found


def read(file: Path) -> str:
    """The text of an env file. Raises InputError."""
    try:
        return file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        fault = error.strerror if isinstance(error, OSError) else "not text"
        raise InputError(f"--env-file {file}: {fault}", cure="give a text file of NAME=VALUE lines") from error


def variable(where: str, text: str, environ: Mapping[str, str]) -> dict[str, str]:
    """One variable; a bare name takes the value of `environ`. Raises InputError."""
    name, equals, value = text.partition("=")
    if not VARIABLE.fullmatch(name):
        raise InputError(f"{where}: got {text!r}, expected NAME=VALUE or NAME")
    if equals:
        return {name: value}
    if name not in environ:
        raise InputError(f"{where}: {name} is not set in this environment", cure=f"write {name}=VALUE")
    return {name: environ[name]}


def mounts(given: Iterable[str]) -> dict[str, str]:
    """Absolute folder by the name of its file grant. Raises InputError."""
    found: dict[str, str] = {}
    for text in given:
        name, equals, folder = text.partition("=")
        if not (name and equals and folder):
            raise InputError(f"--mount: got {text!r}, expected NAME=DIR")
        if not os.path.isdir(folder):
            raise InputError(f"--mount {name}: {folder} is not a folder", cure="create it, or give another")
        found[name] = os.path.abspath(folder)
    return found
