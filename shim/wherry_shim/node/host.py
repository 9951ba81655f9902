"""The node's file system and programs, seen from where the installer runs: on the node, or in a container on it.

In a container the node's root is mounted somewhere. Its programs run with that as their root: systemctl speaks to
pid 1 over a socket below /run, so that no other namespace of the node has to be entered.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from wherry_shim.node.fault import NodeError

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_MOST_LINKS = 40


@dataclass(frozen=True)
class Host:
    """root: where the node's root directory is for us. Every path that is passed is the node's, and absolute."""

    root: Path = Path("/")

    def at(self, path: str) -> Path:
        """Where a path of the node is for us. Its links are followed as the node does, never out of its root."""
        found, rest = self.root, list(PurePosixPath(path).parts[1:])
        for _ in range(_MOST_LINKS * max(1, len(rest))):
            if not rest:
                return found
            part = rest.pop(0)
            step = found.parent if part == ".." else found / part
            if part == ".." and found == self.root:
                continue
            if step.is_symlink():
                target = PurePosixPath(os.readlink(step))
                found = self.root if target.is_absolute() else found
                rest = [*target.parts[1 if target.is_absolute() else 0 :], *rest]
            else:
                found = step
        raise NodeError(f"{path}: too many links")

    def has(self, path: str) -> bool:
        """Whether something is there."""
        return self.at(path).exists()

    def first(self, paths: Sequence[str]) -> str | None:
        """The first of these that is there."""
        return next((path for path in paths if self.has(path)), None)

    def program(self, name: str) -> str | None:
        """A program by its name, in the folders where a node's service would look."""
        return self.first([f"{folder}/{name}" for folder in _PATH.split(":")])

    def run(self, *command: str, seconds: float = 60.0) -> str:
        """What a program of the node writes to stdout. Raises NodeError with its last words when it fails."""
        environment = {"PATH": _PATH, "LC_ALL": "C"}
        try:
            done = subprocess.run(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=seconds,
                check=False,
                preexec_fn=self._enter(),
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise NodeError(f"`{' '.join(command)}` could not be run: {error}") from None
        if done.returncode:
            lines = (done.stderr or done.stdout).strip().splitlines()
            said = [line for line in lines if not line.startswith(" ")]  # what is indented belongs to the line before
            raise NodeError(f"`{' '.join(command)}` failed: {said[-1] if said else f'status {done.returncode}'}")
        return done.stdout

    def _enter(self) -> Callable[[], None] | None:
        if self.root == Path("/"):
            return None

        def enter() -> None:
            os.chroot(self.root)
            os.chdir("/")

        return enter
