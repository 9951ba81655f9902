"""The parts of one node that the installer works with, and what is the same in each of its commands."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property

from wherry_shim.node.changes import Changes
from wherry_shim.node.containerd import Containerd
from wherry_shim.node.cri import Cri
from wherry_shim.node.fault import NodeError
from wherry_shim.node.host import Host
from wherry_shim.node.placement import Placement
from wherry_shim.node.services import Services
from wherry_shim.node.tree import Report

CACHE = "/var/lib/wherry"
STATE = "/run/wherry"
_PATIENCE = 60.0
"""Seconds for containerd to come back."""


@dataclass(frozen=True)
class Node:
    """prefix, cache and state: paths of the node. patience: seconds that a restarted containerd has."""

    host: Host
    containerd: Containerd
    services: Services
    prefix: str
    report: Report = print
    cache: str = CACHE
    state: str = STATE
    patience: float = _PATIENCE

    @cached_property
    def placement(self) -> Placement:
        return Placement(self.host, self.prefix)

    @cached_property
    def changes(self) -> Changes:
        return Changes(self.host, self.record)

    @property
    def record(self) -> str:
        """Where the changes are written down."""
        return f"{self.prefix}/changes.json"

    @property
    def cri(self) -> Cri:
        return Cri(self.host.at(self.containerd.socket))

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Nobody else installs or uninstalls meanwhile. Raises NodeError when somebody does."""
        prefix = self.host.at(self.prefix)
        prefix.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(prefix, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        except BlockingIOError:
            cure = "wait until it has ended"
            raise NodeError(f"{self.prefix}: another wherry-node is at work on this node", cure=cure) from None
        finally:
            os.close(descriptor)
            with suppress(OSError):  # something is installed in it
                prefix.rmdir()

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        """Say what is done, and say it again if it fails."""
        self.report(what)
        try:
            yield
        except NodeError as fault:
            raise NodeError(f"{what}: {fault.message}", cure=fault.cure) from None
        except OSError as error:
            raise NodeError(f"{what}: {error.filename or ''} {error.strerror or error}".replace("  ", " ")) from None

    def handlers(self, expected: set[str]) -> set[str]:
        """What pods may ask for, as soon as these are among it. Raises NodeError when that takes too long."""
        deadline = time.monotonic() + self.patience
        while True:
            missing, fault = expected, NodeError("containerd gave no answer")
            try:
                missing = expected - (found := self.cri.handlers())
                if not missing:
                    return found
                fault = NodeError(f"containerd came back without the runtimes {', '.join(sorted(missing))}")
            except NodeError as silent:
                fault = silent
            if time.monotonic() > deadline:
                raise fault
            time.sleep(0.2)
