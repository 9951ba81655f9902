"""systemd's watchdog (sd_watchdog_enabled(3)): who gives no sign of life in time is killed and started again.

A shell cannot wait for an answer for a limited time without a process for it. So the zygote has the limit: one that is
stopped or hangs is ended, and the launchers that wait for it see that.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from contextlib import suppress

_SIGNS = 3
"""In each period, so that two may be late."""


class Watchdog:
    """seconds: after which a sign is due; None where nobody waits for one."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        """environ: NOTIFY_SOCKET and WATCHDOG_USEC, as systemd sets them."""
        address, period = environ.get("NOTIFY_SOCKET", ""), environ.get("WATCHDOG_USEC", "")
        self.seconds = int(period) / 1e6 / _SIGNS if address and period.isdecimal() else None
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)

    def tell(self) -> None:
        """A sign of life. A systemd that is too busy to take it is given the next one."""
        if self.seconds is not None:
            with suppress(OSError):
                self._socket.sendto(b"WATCHDOG=1", self._address)

    def close(self) -> None:
        """In a child: it has no part in this."""
        self._socket.close()
