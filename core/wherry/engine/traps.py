"""How the engine's errors read as endings.

wasmtime tells a component's trap as text alone, so the text is what we read for modules too: one way for both. It holds
the backtrace with names demangled already, with file and line where the guest has DWARF, and the causes, the trap last:

    error while executing at wasm backtrace:
        0:   0x4ec7 - divide
                        at src/main.c:8:52
        1:    0x386 - app.wasm!_start

    Caused by:
        wasm trap: integer divide by zero
"""

from __future__ import annotations

import re
from ctypes import byref, c_int
from dataclasses import replace

from wherry.engine import capi
from wherry.engine.preview1 import EXIT
from wherry.plan.ending import EXIT_LIMIT, EXIT_TRAP, Ending, exited

_REASONS = {
    "wasm `unreachable` instruction executed": "unreachable",
    "out of bounds memory access": "out-of-bounds",
    "undefined element: out of bounds table access": "table-out-of-bounds",
    "uninitialized element": "indirect-call-to-null",
    "indirect call type mismatch": "bad-signature",
    "integer divide by zero": "divide-by-zero",
    "integer overflow": "integer-overflow",
    "invalid conversion to integer": "bad-conversion",
    "call stack exhausted": "stack-overflow",
    "unaligned atomic": "unaligned-atomic",
    "null reference": "null-reference",
}
_FUEL = "all fuel consumed by WebAssembly"
_INTERRUPT = "interrupt"
_TRAP = "wasm trap: "

_EXIT = re.compile(rf"{EXIT}(\d+)", re.ASCII)
_FRAME = re.compile(r"\s+\d+:\s+(?:0x[0-9a-f]+ - )?(?P<name>.+)")
_INLINED = re.compile(r"\s+- (?P<name>.+)")
_PLACE = re.compile(r"\s+at (?P<place>.+)")
_NUMBER = re.compile(r"\s*\d+: ")


def ending_of_error(error: int) -> Ending:
    """What an error of a call means: an exit with the guest's code, a trap or a limit. The error is deleted."""
    status = c_int()
    if capi.error_exit_status(error, byref(status)):
        capi.error_delete(error)
        return exited(status.value)
    return ending_of_text(capi.take_error(error))


def ending_of_trap(trap: int) -> Ending:
    """What a trap of a module's function means. The trap is deleted."""
    text = capi.Bytes()
    capi.trap_message(trap, byref(text))
    capi.trap_delete(trap)
    return ending_of_text(capi.take_bytes(text).decode(errors="replace").rstrip("\0"))


def ending_of_text(text: str) -> Ending:
    """Pure: the ending that wasmtime's text of an error or trap tells."""
    trace, _, rest = text.partition("\n\nCaused by:\n")
    causes = [_NUMBER.sub("", line, count=1).strip() for line in (rest or text).splitlines() if line.strip()]
    frames = _frames(trace.splitlines()[1:]) if rest else ()
    trap = next((cause.removeprefix(_TRAP) for cause in causes if cause.startswith(_TRAP)), None)
    if trap is None and len(causes) == 1 and (code := _EXIT.fullmatch(causes[0])):
        return exited(int(code[1]))
    if trap is None:
        return Ending(EXIT_TRAP, "trap", "host", "; ".join(causes), frames)
    if trap == _FUEL:
        return Ending(EXIT_LIMIT, "limit", "fuel", "the guest used up its fuel", frames)
    if trap == _INTERRUPT:
        return Ending(EXIT_LIMIT, "limit", "timeout", "the guest was interrupted", frames)
    details = [cause for cause in causes if not cause.startswith(_TRAP)]
    sentence = f"{trap}: {'; '.join(details)}" if details else trap
    return Ending(EXIT_TRAP, "trap", _REASONS.get(trap, "other"), sentence, frames)


def with_memory(ending: Ending, used: int, limit: int) -> Ending:
    """A trap of a guest whose memory was nearly full says so: most programs abort when they get no more.

    used, limit: bytes.
    """
    if ending.category != "trap" or used < limit * 9 // 10:
        return ending
    fullness = f"its memory stood at {used >> 20} MiB of the {limit >> 20} MiB in limits.memory"
    return replace(ending, sentence=f"{ending.sentence}; {fullness}")


def _frames(lines: list[str]) -> tuple[str, ...]:
    frames: list[str] = []
    for line in lines:
        if place := _PLACE.fullmatch(line):
            frames[-1:] = [f"{frame} at {place['place']}" for frame in frames[-1:]]
        elif frame := _FRAME.fullmatch(line) or _INLINED.fullmatch(line):
            frames.append(frame["name"].removeprefix("<unknown>!"))
    return tuple(frames)
