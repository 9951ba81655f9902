"""Inspection: kind, WASI version and world of a Wasm binary, from the names of its imports and exports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["module", "component"]
Wasi = Literal["preview1", "0.2", "0.3"]


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a Wasm binary says of itself.

    wasi: the version its exports (first) and imports ask for; None asks for none.
    world: the best-known world it fits (`wasi:http/proxy@0.2.x`, `wasi:cli/command@0.2.x`, `wasi_snapshot_preview1`),
    else "".
    imports, exports: in the binary's order, without duplicates. A component's are interfaces and plain names
    (`wasi:http/types@0.2.3`); a module's imports are `module.name` (`wasi_snapshot_preview1.fd_write`).
    run: how it is run when nobody says so; None when it exports neither http nor command.
    """

    kind: Kind
    wasi: Wasi | None
    world: str
    imports: tuple[str, ...]
    exports: tuple[str, ...]
    size: int
    run: Literal["http", "command"] | None
