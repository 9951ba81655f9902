"""`start` as containerd asked it of the launcher, which passes it on: one line, tabs between its words. Pure.

<launcher's pid> <bundle> <TTRPC_ADDRESS> <containerd's arguments ...>
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from wherry.errors import InputError

_SWITCHES = frozenset({"-debug", "--debug"})


@dataclass(frozen=True, slots=True)
class Request:
    """launcher: its pid. bundle: of the container `id`. containerd, events: addresses of its gRPC and ttrpc sockets."""

    launcher: int
    id: str
    namespace: str
    bundle: Path
    containerd: str
    events: str


def parse(line: str) -> Request:
    """Raises InputError."""
    launcher, bundle, events, *arguments = [*line.split("\t"), "", "", ""]
    flags, action = _flags(arguments)
    wanted = flags.get("id"), flags.get("namespace"), flags.get("address")
    if not launcher.isdecimal() or action != "start" or not all(wanted):
        raise InputError(f"got the request {line!r}, expected -namespace, -address, -id and start")
    return Request(
        launcher=int(launcher),
        id=flags["id"],
        namespace=flags["namespace"],
        bundle=Path(flags.get("bundle") or bundle),
        containerd=flags["address"],
        events=events or f"{flags['address']}.ttrpc",
    )


def _flags(arguments: list[str]) -> tuple[dict[str, str], str]:
    """Flags as Go's flag package reads them, and the last word that belongs to none."""
    flags: dict[str, str] = {}
    action = ""
    words = iter(arguments)
    for word in words:
        if word in _SWITCHES:
            continue
        if word.startswith("-"):
            flags[word.lstrip("-")] = next(words, "")
        elif word:
            action = word
    return flags, action
