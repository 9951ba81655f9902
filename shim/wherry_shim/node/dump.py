"""What containerd itself makes of its configuration: `containerd config dump`, compared before and after a change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain

from wherry_shim.node.table import HANDLER, Document

_TABLES = ("io.containerd.grpc.v1.cri", "io.containerd.cri.v1.runtime")
"""containerd dumps in its own latest version, whatever the file declares: 2 for 1.7, above it for 2.x."""
_RUNTIMES = ("containerd", "runtimes")

Path = tuple[str, ...]


def handlers(dump: Document) -> dict[str, Mapping[str, object]]:
    """The runtimes that CRI would offer, by handler; empty when the CRI plugin is not there."""
    for table in _TABLES:
        runtimes = _at(dump, ("plugins", table, *_RUNTIMES))
        if isinstance(runtimes, Mapping):
            return dict(runtimes)
    return {}


def cri_is_disabled(dump: Document) -> bool:
    """Whether the configuration turns CRI off, as the one does that Docker's packages bring."""
    disabled = dump.get("disabled_plugins")
    names = disabled if isinstance(disabled, list) else []
    return any(name == "cri" or name in _TABLES for name in names)


def strange_changes(before: Document, after: Document) -> list[str]:
    """Dotted paths that differ and are neither our table nor `imports`; empty when a change did what it should."""
    return [".".join(path) for path in _differences(before, after, ()) if not _allowed(path)]


def _allowed(path: Path) -> bool:
    # containerd 1.7 lists the files that it loaded there, in any order.
    return path[0] == "imports" or any(path[:5] == ("plugins", table, *_RUNTIMES, HANDLER) for table in _TABLES)


def _differences(before: object, after: object, path: Path) -> Iterator[Path]:
    """An option that is absent means its type's zero: an empty text, no, 0, nothing."""
    if isinstance(before, Mapping) or isinstance(after, Mapping):
        was, is_now = _entries(before), _entries(after)
        for key in dict.fromkeys(chain(was, is_now)):
            yield from _differences(was.get(key), is_now.get(key), (*path, key))
    elif (before or None) != (after or None):
        yield path


def _entries(document: object) -> Mapping[str, object]:
    if isinstance(document, Mapping):
        return document
    return {"": document} if document else {}


def _at(document: object, path: Path) -> object:
    for part in path:
        document = _entries(document).get(part)
    return document
