"""How long a transfer may take, and how much of it is tried again. Seconds and bytes."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Patience:
    """connect: to open a connection. idle: without a single byte. small: a manifest, tag or upload session.

    A blob has `blob` seconds and one more for each `rate` bytes. Deadlines hold for a verb with all its attempts, so
    that neither a dripping server nor a failing one can stretch them. whole: for all verbs of one opened repository.
    """

    connect: float = 3.0
    idle: float = 10.0
    small: float = 20.0
    blob: float = 30.0
    rate: int = 256 << 10
    attempts: int = 3
    longest_wait: float = 30.0
    whole: float = math.inf

    def for_blob(self, size: int) -> float:
        """Seconds for a blob of size bytes."""
        return self.blob + size / self.rate
