"""What guests have used, read from the runtime's files; a container that has ended stays until that was scraped."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from wherry.engine.metering import GAUGES, attach
from wherry.errors import InputError
from wherry_agent.pods import PodOfNode, Pods

LONGEST = 600.0
"""Seconds that the last counts of a container that is gone wait for somebody to scrape them."""

Key = tuple[str, str]
"""Uid of the Pod, name of the container."""


@dataclass(frozen=True, slots=True)
class Meter:
    """One container's counters. gone: when its file was first missing; None while it is there. shown: since then."""

    pod: PodOfNode
    container: str
    total: Mapping[str, int]
    gone: float | None = None
    shown: bool = False

    def ended(self, now: float) -> Meter:
        """Nothing is in flight any more."""
        return replace(self, total={**self.total, **dict.fromkeys(GAUGES, 0)}, gone=now)


class Ledger:
    """state: the runtime's folder. clock: monotonic, in seconds."""

    def __init__(self, state: Path, pods: Pods, clock: Callable[[], float] = time.monotonic) -> None:
        self._state, self._pods, self._clock = state, pods, clock
        self._meters: dict[Key, Meter] = {}

    def sample(self) -> None:
        """Read everything that is there. A Pod that the API server has not told of yet waits for the next time."""
        now, found = self._clock(), dict(self._found())
        for key, meter in list(self._meters.items()):
            if key in found:
                continue
            ended = meter if meter.gone is not None else meter.ended(now)
            self._meters[key] = ended
            if ended.gone is not None and (ended.shown or now - ended.gone > LONGEST):
                del self._meters[key]
        self._meters |= found

    def show(self) -> tuple[Meter, ...]:
        """As of now, for a scrape: what has ended is shown this once more."""
        self.sample()
        shown = tuple(self._meters.values())
        self._meters = {key: replace(meter, shown=meter.gone is not None) for key, meter in self._meters.items()}
        return shown

    def _found(self) -> Iterator[tuple[Key, Meter]]:
        for file in self._state.glob("*/*.metrics"):
            key = (file.parent.name, file.stem)
            known = self._meters.get(key)
            pod = self._pods.get(key[0]) or (known.pod if known else None)
            if pod and (total := _total(file)) is not None:
                yield key, Meter(pod, file.stem, total)


def _total(file: Path) -> Mapping[str, int] | None:
    """None for a file that goes, or that its worker has not made up yet."""
    try:
        with closing(attach(file)) as counters:
            return counters.total()
    except (FileNotFoundError, InputError, ValueError):
        return None
