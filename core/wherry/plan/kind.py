"""How a guest is called: what the app asks for, against what the module exports."""

from __future__ import annotations

from wherry.errors import FieldError
from wherry.plan.model import Run
from wherry.spec import model as spec
from wherry.wasm.module import Inspection

_ASKS: dict[spec.Run, Run] = {"http": "http", "command": "command", "job": "command", "cron": "command"}


def run_of(asked: spec.Run | None, module: Inspection) -> tuple[Run, list[FieldError]]:
    """The kind of run, and why it cannot be. A preview-1 command serves http as CGI, when asked.

    A guest for a WASI that the engine does not know passes: the engine names it, and the cure.
    """
    run = _ASKS[asked] if asked else module.run or "command"
    possible = _possible(module)
    if module.wasi == "0.3" or run in possible:
        return run, []
    offered = " or ".join(sorted(possible)) or "wasi:http/incoming-handler, wasi:cli/run or _start among the exports"
    got = asked or "a module without an entry"
    return run, [FieldError("spec.run", got, f"{offered}, as this {module.kind} exports")]


def _possible(module: Inspection) -> set[Run]:
    exports = {name.partition("@")[0] for name in module.exports}
    if "_start" in exports:
        return {"http", "command"}
    found: dict[str, Run] = {"wasi:http/incoming-handler": "http", "wasi:cli/run": "command"}
    return {run for name, run in found.items() if name in exports}
