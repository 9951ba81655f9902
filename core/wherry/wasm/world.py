"""Which WASI a binary is for, and how it is run, judged by the names of its exports first, then of its imports.

Exports decide, because a guest for WASI 0.3 may well import interfaces of 0.2 beside those of 0.3.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

from wherry.wasm.module import Kind, Wasi
from wherry.wasm.names import Names

PREVIEW1 = "wasi_snapshot_preview1"
_INTERFACE = re.compile(r"wasi:(?P<interface>[a-z][a-z0-9-]*/[a-z][a-z0-9-]*)@(?P<version>(?P<minor>0\.[23])\..*)")

_WORLDS: dict[tuple[str, str], tuple[Literal["http", "command"], str]] = {
    ("http/incoming-handler", "0.2"): ("http", "wasi:http/proxy"),
    ("http/handler", "0.3"): ("http", "wasi:http/service"),
    ("cli/run", "0.2"): ("command", "wasi:cli/command"),
    ("cli/run", "0.3"): ("command", "wasi:cli/command"),
}
"""Exported interface and WASI version, to how it runs and the world it fits; http before command."""


def wasi_of(kind: Kind, names: Names) -> Wasi | None:
    """The WASI version asked for; None when it asks for none."""
    if kind == "module":
        return "preview1" if any(name.startswith(f"{PREVIEW1}.") for name in names.imports) else None
    return _newest(names.exports) or _newest(names.imports)


def run_of(kind: Kind, names: Names) -> Literal["http", "command"] | None:
    """http before command when it exports both; None when it exports neither."""
    if kind == "module":
        return "command" if "_start" in names.exports else None
    found = _entry(names)
    return found[0] if found else None


def world_of(kind: Kind, names: Names) -> str:
    """The best-known world with the guest's own patch version, `wasi_snapshot_preview1`, or ""."""
    if kind == "module":
        return PREVIEW1 if wasi_of(kind, names) else ""
    found = _entry(names)
    return found[1] if found else ""


def _entry(names: Names) -> tuple[Literal["http", "command"], str] | None:
    versions = {(m["interface"], m["minor"]): m["version"] for m in _interfaces(names.exports)}
    for entry, (run, world) in _WORLDS.items():
        if entry in versions:
            return run, f"{world}@{versions[entry]}"
    return None


def _newest(names: Iterable[str]) -> Wasi | None:
    minors = {match["minor"] for match in _interfaces(names)}
    if "0.3" in minors:
        return "0.3"
    return "0.2" if minors else None


def _interfaces(names: Iterable[str]) -> list[re.Match[str]]:
    return [match for name in names if (match := _INTERFACE.fullmatch(name))]
