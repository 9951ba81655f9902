"""What can go wrong between a client and the API server, and a seeded plan of when it does."""

from __future__ import annotations

import random
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Fault(StrEnum):
    """The first group is for any request, the second for writes, the third for watches."""

    THROTTLED = "429 with Retry-After"
    INTERNAL = "500"
    UNAVAILABLE = "503 as a page, not as a Status"
    DROPPED = "closed before the request was passed on"
    LOST = "closed after the request was passed on"
    HALF = "closed in the middle of the answer"
    STALLED = "no answer for long"
    DELAYED = "a slow answer"
    CONFLICT = "409"
    EXPIRED = "410 instead of a watch"
    EXPIRES = "410 as an event of a watch"
    CUT = "a watch that is closed in the middle of a line"
    HUSHED = "a watch that is open and tells nothing more"


ANY = (
    Fault.THROTTLED, Fault.INTERNAL, Fault.UNAVAILABLE, Fault.DROPPED, Fault.LOST, Fault.HALF, Fault.STALLED,
    Fault.DELAYED,
)  # fmt: skip
WRITES = (*ANY, Fault.CONFLICT)
WATCHES = (
    Fault.THROTTLED, Fault.INTERNAL, Fault.UNAVAILABLE, Fault.DROPPED, Fault.STALLED, Fault.EXPIRED, Fault.EXPIRES,
    Fault.CUT, Fault.HUSHED,
)  # fmt: skip

SILENT = (Fault.STALLED, Fault.HUSHED)
"""Those that only patience finds."""
LOUD = tuple(each for each in Fault if each not in SILENT)


@dataclass
class Faults:
    """A plan: this share of requests goes wrong, and of watches; the same seed gives the same plan.

    kinds: those that are allowed. left: how many there are to be.
    """

    seed: int
    share: float
    watches: float = 0.5
    kinds: Sequence[Fault] = tuple(Fault)
    left: float = float("inf")
    _random: random.Random = field(init=False)
    _lock: threading.Lock = field(init=False, default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def next(self, method: str, is_watch: bool) -> Fault | None:
        """For one more request."""
        possible = WATCHES if is_watch else ANY if method == "GET" else WRITES
        allowed = [each for each in possible if each in self.kinds]
        with self._lock:
            share = self.watches if is_watch else self.share
            if not allowed or self.left < 1 or self._random.random() >= share:
                return None
            self.left -= 1
            return self._random.choice(allowed)


def once(kind: Fault) -> Faults:
    """The next request has it, and no other."""
    return Faults(0, 1.0, 1.0, (kind,), left=1)


def always(*kinds: Fault) -> Faults:
    """Every request that can have one of these has it."""
    return Faults(0, 1.0, 1.0, kinds)
