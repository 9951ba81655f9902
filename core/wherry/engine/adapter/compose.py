"""Composing a guest with its adapter: one component that crosses into the host as rarely as can be.

`http` guests get an implementation of wasi:http inside Wasm and answer to the control protocol of README.md. `command`
guests keep their `wasi:cli/run`. In both, waits are sliced so that a deadline also ends a guest that sleeps.
"""

from __future__ import annotations

from typing import Literal

from wherry.engine.adapter.outer import Outer, provided
from wherry.engine.adapter.outline import Outline, read_outline
from wherry.engine.adapter.part import read_part
from wherry.engine.adapter.renumber import unsupported

Adapter = Literal["http", "http-outbound", "command", "command-outbound"]

HANDLER = "wasi:http/incoming-handler"
COMMAND = "wasi:cli/run"


def compose(guest: bytes, adapter: Adapter) -> bytes:
    """A component made of the guest and this adapter.

    http: exports `prepare`, `run` and `trailers`. command: exports the guest's wasi:cli/run;
    a guest that needs nothing of the adapter is returned as it is.
    Raises StartError (`unsupported`, `missing-import`) for a guest that cannot be composed, InvalidModule for bytes
    that are no component.
    """
    outline = read_outline(guest)
    if adapter.startswith("http"):
        return Outer(guest, outline, read_part(adapter)).serve(_exported(outline, HANDLER))
    run = _exported(outline, COMMAND)
    if not any(provided(interface) for interface in outline.imports):
        return guest
    return Outer(guest, outline, read_part(adapter)).command(run)


def _exported(outline: Outline, base: str) -> str:
    for label in outline.exports:
        if label.partition("@")[0] == base:
            return label
    raise unsupported(f"no export of {base}")
