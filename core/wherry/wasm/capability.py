"""What a guest will ask for, read from its imports, in terms of the fields of a WasmApp that grant it.

A toolchain's runtime imports more than its program uses: an import says that the guest may ask, not that it will.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from wherry.wasm.module import Inspection

_PREVIEW1 = r"wasi_snapshot_preview1\."
_WASI = r"wasi:"
_GIVEN = re.compile(
    rf"{_WASI}(cli/(exit|std\w+|terminal-\w+|run|types)|clocks/|random/|io/|http/types|http/incoming-handler)"
    rf"|{_PREVIEW1}(args_|clock_|fd_(?!prestat)|poll_|proc_|random_|sched_)"
)


@dataclass(frozen=True, slots=True)
class Ask:
    """One thing that a guest may ask for.

    field: the WasmApp field that grants it; "" when no field does. meaning: a short phrase. imports: why we think so.
    """

    field: str
    meaning: str
    imports: tuple[str, ...]


_ASKS: tuple[tuple[str, str, re.Pattern[str]], ...] = (
    (
        "spec.capabilities.outboundHTTP",
        "calls other HTTP services",
        re.compile(rf"{_WASI}http/(outgoing-handler|client)@"),
    ),
    (
        "spec.capabilities.files",
        "opens files",
        re.compile(rf"{_WASI}filesystem/|{_PREVIEW1}(path_|fd_prestat_)"),
    ),
    (
        "spec.env",
        "reads environment variables or arguments",
        re.compile(rf"{_WASI}cli/environment@|{_PREVIEW1}environ_"),
    ),
    ("", "opens sockets, which are not available", re.compile(rf"{_WASI}sockets/|{_PREVIEW1}sock_")),
)


def asks(inspection: Inspection) -> tuple[Ask, ...]:
    """What inspection's imports may ask for, in a fixed order; the last entry holds imports that no host part has."""
    found = [
        Ask(field, meaning, matching)
        for field, meaning, pattern in _ASKS
        if (matching := tuple(name for name in inspection.imports if pattern.match(name)))
    ]
    known = {name for ask in found for name in ask.imports}
    rest = tuple(name for name in inspection.imports if name not in known and not _GIVEN.match(name))
    return (*found, Ask("", "is not available on this host", rest)) if rest else tuple(found)
