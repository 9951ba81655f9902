"""How a run ended: exit codes and termination messages.

Exit codes: the guest's own; 134 trap; 124 timeout or fuel; 128+n signal; 125 could not start; 137 killed.
Termination message, 4096 bytes at most: line 1 is `<category>/<reason>: one sentence`, then the backtrace, deepest
frame first.
The reasons are API: they are listed here and nowhere else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, cast

Category = Literal["exit", "trap", "limit", "oom", "start", "signal"]

EXIT_START = 125
EXIT_LIMIT = 124
EXIT_TRAP = 134
EXIT_KILLED = 137
MESSAGE_LIMIT = 4096

TRAP_REASONS = frozenset(
    {
        "unreachable",  # abort(), a panic, an assertion, an uncaught exception
        "out-of-bounds",  # linear memory
        "table-out-of-bounds",
        "indirect-call-to-null",
        "bad-signature",  # an indirect call of the wrong type
        "divide-by-zero",
        "integer-overflow",
        "bad-conversion",  # float to integer
        "stack-overflow",
        "unaligned-atomic",
        "null-reference",
        "host",  # a host function refused: the sentence says which and why
        "other",
    }
)
LIMIT_REASONS = frozenset({"timeout", "fuel"})
OOM_REASONS = frozenset({"memory"})
START_REASONS = frozenset(
    {
        "invalid-module",  # the bytes are no Wasm module or component
        "unsupported",  # WASI 0.3, a core module without _start, …
        "missing-import",  # asks for an interface that this host does not have
        "digest-mismatch",  # the bytes are not those of the plan
        "compile",  # the compiler refused or was killed
        "memory",  # the module's minimum memory is above the limit
        "mount",  # a mount's folder is not there or not a folder
        "address",  # the port is taken or not ours to bind
        "artifact",  # missing on the node, or not the one that the Pod names
        "plan",  # the plan itself cannot be read
        "instantiate",  # a start function trapped, or instantiation failed otherwise
    }
)


@dataclass(frozen=True, slots=True)
class Ending:
    """The end of one run. `frames` is the backtrace, deepest first, one line each; empty when there is none."""

    code: int
    category: Category = "exit"
    reason: str = ""
    sentence: str = ""
    frames: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Category and reason: `trap/unreachable`."""
        return f"{self.category}/{self.reason}"

    @property
    def account(self) -> str:
        """The sentence, and the backtrace below it."""
        return "\n".join((self.sentence, *self.frames))

    @property
    def message(self) -> str:
        """The termination message, cut to MESSAGE_LIMIT bytes of UTF-8; empty for an ordinary exit."""
        if self.category == "exit":
            return ""
        return f"{self.name}: {self.account}".encode()[:MESSAGE_LIMIT].decode(errors="ignore")


@lru_cache(256)  # every request of a server ends so
def exited(code: int) -> Ending:
    """The guest's own exit code, passed through modulo 256 as a process would."""
    return Ending(code=code & 0xFF)


def signalled(number: int) -> Ending:
    """Ended by a signal that was asked for: 128 + its number."""
    return Ending(code=128 + number, category="signal", reason=str(number), sentence=f"ended by signal {number}")


_CODES: dict[Category, int] = {"trap": EXIT_TRAP, "limit": EXIT_LIMIT, "oom": EXIT_KILLED, "start": EXIT_START}
_REASONS: dict[Category, frozenset[str]] = {
    "trap": TRAP_REASONS,
    "limit": LIMIT_REASONS,
    "oom": OOM_REASONS,
    "start": START_REASONS,
}
_TOLD = re.compile(r"\b(trap|limit|oom|start)/([a-z-]+): (.*)")
_OF_CONTAINERD = re.compile(r"(?:: (?:unknown|unavailable|not found|invalid argument|failed precondition))+$")


def told(text: str) -> Ending | None:
    """The ending that a text tells of: a termination message, or containerd's sentence around a failed start.

    None for a text that has no reason of the lists above.
    """
    for match in _TOLD.finditer(text):
        category, reason = cast(Category, match[1]), match[2]
        if reason in _REASONS[category]:
            sentence = _OF_CONTAINERD.sub("", match[3]) if match.start() else match[3]
            return Ending(_CODES[category], category, reason, sentence, tuple(text[match.end() :].splitlines()[1:]))
    return None
