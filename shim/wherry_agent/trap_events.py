"""Traps told as Events about Pods: at once, then at most one a minute for each container, with their number."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from wherry.cluster.names import TRAPPED
from wherry.cluster.telling import Teller
from wherry_agent.pods import Pods
from wherry_agent.trap_files import Trapped

PAUSE = 60.0
"""Seconds between two Events about one container."""
_FORGET = 600.0
"""Seconds after which what nobody can be told of is dropped: a Pod that the API server does not know."""

Key = tuple[str, str]
"""Uid of the Pod, name of the container."""


@dataclass(frozen=True, slots=True)
class GuestTrapped:
    """message: a termination message, as the operator reads it."""

    message: str
    type: Literal["Warning"] = "Warning"
    reason: str = TRAPPED


@dataclass(slots=True)
class _Account:
    """What one container still has to tell: the last entry and how many there were. told: when the last Event was."""

    entry: str = ""
    count: int = 0
    told: float = float("-inf")
    since: float = 0.0


class TrapEvents:
    """clock: monotonic, in seconds."""

    def __init__(self, pods: Pods, teller: Teller, clock: Callable[[], float] = time.monotonic) -> None:
        self._pods, self._teller, self._clock = pods, teller, clock
        self._accounts: dict[Key, _Account] = {}

    async def tell(self, trapped: Iterable[Trapped]) -> None:
        """Take these up, and tell what is due."""
        now = self._clock()
        for each in trapped:
            account = self._accounts.setdefault((each.uid, each.container), _Account())
            account.since = account.since if account.count else now
            account.entry, account.count = each.entries[-1], account.count + len(each.entries)
        for key, account in list(self._accounts.items()):
            if account.count and now - account.told >= PAUSE:
                await self._tell(key, account, now)
            if now - max(account.told, account.since) > _FORGET:
                del self._accounts[key]

    async def _tell(self, key: Key, account: _Account, now: float) -> None:
        if (pod := self._pods.get(key[0])) is None:
            return
        part = f"spec.containers{{{key[1]}}}"
        if await self._teller.tell(pod.manifest(), GuestTrapped(account.entry), times=account.count, part=part):
            account.told, account.count = now, 0
