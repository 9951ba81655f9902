"""The host's systemd, by its own systemctl."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from wherry_shim.node.fault import NodeError
from wherry_shim.node.host import Host

_RUNS = "/run/systemd/system"
_RESTART = 120.0
"""Seconds for a restart: some distributions start all of Kubernetes with it."""


@dataclass(frozen=True)
class Systemd:
    host: Host

    def check(self) -> None:
        """Raises NodeError on a host without it."""
        if not self.host.has(_RUNS) or self.host.program("systemctl") is None:
            raise NodeError(
                f"no systemd on this host ({_RUNS} is not there)",
                cure="give --no-systemd, start `python -m wherry_shim.zygote` by other means and restart containerd",
            )

    def reload(self) -> None:
        """Read unit files again."""
        self._call("daemon-reload")

    def restart(self, unit: str) -> None:
        """Start, or stop and start."""
        self._call("restart", unit)

    def enable(self, unit: str) -> None:
        """Start it with the host from now on."""
        self._call("enable", "--quiet", unit)

    def disable(self, unit: str) -> None:
        """Stop it now, and start it no more. One that is not there is no fault."""
        with contextlib.suppress(NodeError):
            self._call("disable", "--quiet", "--now", unit)

    def kill(self, unit: str) -> None:
        """Every process of its cgroup, at once. One that is not there is no fault."""
        with contextlib.suppress(NodeError):
            self._call("kill", "--signal=KILL", unit)

    def is_active(self, unit: str) -> bool:
        """Whether it runs."""
        try:
            return self._call("is-active", unit).strip() == "active"
        except NodeError:
            return False

    def main_pid(self, unit: str) -> str:
        """The process that the unit started; `0` when none runs."""
        return self._call("show", "--property=MainPID", "--value", unit).strip()

    def command_line(self, unit: str) -> str:
        """How the unit starts its program, as systemd shows it; empty for an unknown unit."""
        return self._call("show", "--property=ExecStart", "--value", unit)

    def _call(self, *arguments: str) -> str:
        return self.host.run("systemctl", *arguments, seconds=_RESTART)
