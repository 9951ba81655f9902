"""What has to be started and stopped on a node: containerd and the zygote."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from wherry_shim.node import unit
from wherry_shim.node.fault import NodeError
from wherry_shim.node.host import Host
from wherry_shim.node.systemd import Systemd

_PID_FILE = "/run/wherry/zygote.pid"
"""Written by a zygote that takes requests."""
_READY = 60.0
"""Seconds for its start."""


class Services(Protocol):
    """Raises NodeError when one does not start."""

    @property
    def automatic(self) -> bool:
        """Whether they are started here; if not, nothing of what they do can be waited for."""

    @property
    def files(self) -> dict[str, str]:
        """Text by path of the files that describe the zygote's service."""

    def restart_containerd(self) -> None: ...

    def start_zygote(self) -> None:
        """Let the zygote of the tree in use run, now and after each boot; one that runs is replaced."""

    def stop_zygote(self) -> None: ...

    def kill_leftovers(self) -> None:
        """End every process that came from the zygote and still runs."""

    def reload(self) -> None:
        """Look at the files again: they were changed."""

    def zygote_is_alive(self) -> bool: ...

    def aside(self, command: Sequence[str]) -> tuple[str, ...]:
        """The command that runs this one as a child, but not in the cgroup and under the limits of whoever asks."""


@dataclass(frozen=True)
class SystemdServices:
    """containerd_unit: the service that runs containerd. environment: the zygote's."""

    host: Host
    containerd_unit: str
    prefix: str
    environment: Mapping[str, str]
    automatic: bool = True

    @property
    def files(self) -> dict[str, str]:
        """The unit."""
        return {unit.PATH: unit.unit(self.prefix, self.containerd_unit, self.environment)}

    @property
    def _systemd(self) -> Systemd:
        return Systemd(self.host)

    def restart_containerd(self) -> None:
        """With all that lives in the same service; pods go on."""
        self._systemd.restart(self.containerd_unit)

    def start_zygote(self) -> None:
        """By its unit, whose file is there."""
        self._systemd.reload()
        self._systemd.enable(unit.NAME)
        self._systemd.restart(unit.NAME)
        deadline = time.monotonic() + _READY
        while not self._answers():
            if time.monotonic() > deadline:
                raise NodeError(f"{unit.NAME} does not come up", cure=f"see journalctl -u {unit.NAME}")
            time.sleep(0.1)

    def _answers(self) -> bool:
        """A launcher waits two seconds for a zygote; on a busy node its imports may take longer."""
        try:
            written = self.host.at(_PID_FILE).read_text().strip()
        except FileNotFoundError:
            return False
        return written == self._systemd.main_pid(unit.NAME)

    def stop_zygote(self) -> None:
        """And forget it. Its unit's file may be there or not."""
        self._systemd.disable(unit.NAME)

    def kill_leftovers(self) -> None:
        """What is left in the unit's cgroup."""
        self._systemd.kill(unit.NAME)

    def reload(self) -> None:
        """Unit files."""
        self._systemd.reload()

    def zygote_is_alive(self) -> bool:
        """As systemd sees it."""
        return self._systemd.is_active(unit.NAME)

    def aside(self, command: Sequence[str]) -> tuple[str, ...]:
        """In a scope of its own, which ends with it."""
        return ("systemd-run", "--scope", "--quiet", "--collect", "--property=CPUWeight=20", "--", *command)


@dataclass(frozen=True)
class ByHand:
    """A host whose services somebody else starts: nothing is started, and nothing can be said of the zygote."""

    automatic: bool = False

    @property
    def files(self) -> dict[str, str]:
        """None."""
        return {}

    def restart_containerd(self) -> None:
        """Left to whoever asked for it."""

    def start_zygote(self) -> None:
        """Left to whoever asked for it."""

    def stop_zygote(self) -> None:
        """Left to whoever asked for it."""

    def kill_leftovers(self) -> None:
        """Left to whoever asked for it."""

    def reload(self) -> None:
        """There are none."""

    def zygote_is_alive(self) -> bool:
        """Not known: believed."""
        return True

    def aside(self, command: Sequence[str]) -> tuple[str, ...]:
        """As it is."""
        return tuple(command)
