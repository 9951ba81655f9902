"""What is installed on the node, and whether it lives: looked at every second, so nothing is asked and nothing started.

Whether every byte is right is a question for `wherry-node install`, which mends at once what is not. Here it is only
seen that something is no longer as install left it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from wherry_shim.node import manifest
from wherry_shim.node.changes import Changes
from wherry_shim.node.cri import Cri
from wherry_shim.node.fault import NodeError
from wherry_shim.node.host import Host
from wherry_shim.node.kubernetes import distribution
from wherry_shim.node.placement import Placement
from wherry_shim.node.table import HANDLER, LAUNCHER

ZYGOTE = "wherry-zygote"
Mark = tuple[int, int, int] | None
"""Of one file: inode, size, time of its last change in ns. None: it is not there."""


@dataclass(frozen=True, slots=True)
class Installation:
    """prefix, state: paths of the node."""

    host: Host
    prefix: str
    state: str

    @property
    def current(self) -> str:
        """The name of the tree in use; "" when there is none."""
        return Placement(self.host, self.prefix).current or ""

    def zygote_is_alive(self) -> bool:
        """By its pid file, which it writes when it takes requests, and the name of that process."""
        try:
            pid = int(self.host.at(f"{self.state}/zygote.pid").read_text())
            return self.host.at(f"/proc/{pid}/comm").read_text().strip() == ZYGOTE
        except (OSError, ValueError):
            return False

    def runtime_is_known(self) -> bool:
        """Whether pods may ask containerd for it. One that is silent is not thought to have forgotten. Blocks."""
        try:
            return HANDLER in Cri(self.host.at(distribution(self.host).socket), timeout=5.0).handlers()
        except NodeError:
            return True

    def signature(self) -> tuple[Mark, ...]:
        """Changes when a file does that an installation has written outside of its tree, or that begins the tree."""
        record = f"{self.prefix}/changes.json"
        tree = f"{self.prefix}/versions/{self.current}"
        try:
            changed = Changes(self.host, record).paths()
        except NodeError:
            changed = []
        begun = (f"{tree}/{manifest.FILE}", f"{tree}/bin/python", f"{tree}/bin/{LAUNCHER}")
        return tuple(_mark(self.host.at(path)) for path in (record, *begun, *sorted(changed)))


def _mark(path: Path) -> Mark:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
