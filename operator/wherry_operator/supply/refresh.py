"""When a tag is looked at again because its app asks for that now and then."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

from wherry_operator.manifest import Key


class Rounds:
    """What was looked at when, in seconds of one clock. Nothing is kept over a restart.

    An app that nobody remembers was looked at some time within its period, so that a restart asks no registry at once
    and the apps of a cluster spread over it.
    """

    def __init__(self, jitter: Callable[[], float] = random.random) -> None:
        self._jitter = jitter
        self._looked: dict[Key, float] = {}

    def left(self, app: Key, period: float, now: float) -> float:
        """Seconds until the next look; 0 when it is due, infinity for never."""
        if math.isinf(period):
            return math.inf
        looked = self._looked.setdefault(app, now - self._jitter() * period)
        return max(0.0, looked + period - now)

    def looked(self, app: Key, now: float) -> None:
        """Its tag was looked at."""
        self._looked[app] = now

    def forget(self, app: Key) -> None:
        """It is gone."""
        self._looked.pop(app, None)
