"""Trees below the prefix: `versions/<name>` for each, `current` for the one in use, switched in one step."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from wherry_shim.node import manifest, tree
from wherry_shim.node.fault import NodeError
from wherry_shim.node.host import Host
from wherry_shim.node.tree import Report

_STAGED = ".new-"
_PROVED = "import wherry.engine.run, wherry.engine.command, wherry.engine.http.supervisor, wherry_shim.zygote"
"""What the zygote imports, and with it every library of the tree."""


@dataclass(frozen=True)
class Placement:
    """prefix: a path of the node."""

    host: Host
    prefix: str

    @property
    def current(self) -> str | None:
        """The name of the tree in use."""
        link = self.host.at(self.prefix) / "current"
        return link.readlink().name if link.is_symlink() else None

    def root(self, name: str) -> Path:
        """A tree's folder, for us."""
        return self.host.at(self.prefix) / "versions" / name

    def names(self) -> set[str]:
        """Every tree that is there whole."""
        folder = self.host.at(self.prefix) / "versions"
        return {path.parent.name for path in folder.glob(f"*/{manifest.FILE}")}

    def place(self, report: Report) -> tuple[str, int]:
        """Build this interpreter's tree, or find it there intact. Its name and size in bytes. Not in use yet."""
        with self._staging() as staging:
            built = tree.build(staging, lambda listed: Path(self.prefix, "versions", listed.name), report)
            staging.chmod(0o755)
            if not self.is_intact(built.name):
                self.remove(built.name)
                staging.rename(self.root(built.name))
            return built.name, built.size

    def is_intact(self, name: str) -> bool:
        """Whether every file is there as it was put there."""
        return self.damage(name) == []

    def damage(self, name: str) -> list[str]:
        """Files that are missing, changed or strange."""
        try:
            return manifest.differences(self.root(name), manifest.read(self.root(name)))
        except (OSError, ValueError, KeyError):
            return [manifest.FILE]

    def prove(self, name: str) -> None:
        """Let the node's kernel and shell start it. Raises NodeError when they cannot."""
        self.host.run(f"{self.prefix}/versions/{name}/bin/python", "-P", "-c", _PROVED)

    def switch(self, name: str | None) -> None:
        """Take this tree into use; None leaves none in use."""
        link = self.host.at(self.prefix) / "current"
        if name is None:
            link.unlink(missing_ok=True)
            return
        fresh = link.with_name(".current.new")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(Path("versions", name))
        fresh.replace(link)

    def prune(self, kept: set[str]) -> None:
        """Remove every other tree, unless a process still runs from it: shims of pods outlive an upgrade."""
        for name in self.names() - kept - self._running():
            self.remove(name)

    def remove(self, name: str) -> None:
        """Remove one tree, if it is there."""
        shutil.rmtree(self.root(name), ignore_errors=True)

    def clear(self) -> None:
        """Remove every tree; and the prefix, if nothing else is in it."""
        prefix = self.host.at(self.prefix)
        self.switch(None)
        shutil.rmtree(prefix / "versions", ignore_errors=True)
        with contextlib.suppress(OSError):
            prefix.rmdir()

    def _running(self) -> set[str]:
        marker, names = f"{self.prefix}/versions/", set()
        for link in self.host.at("/proc").glob("[0-9]*/exe"):
            with contextlib.suppress(OSError):
                names |= {name for name in self.names() if f"{marker}{name}/" in str(link.readlink())}
        return names

    @contextlib.contextmanager
    def _staging(self) -> Iterator[Path]:
        versions = self.host.at(self.prefix) / "versions"
        try:
            versions.mkdir(parents=True, exist_ok=True)
            for left in versions.glob(f"{_STAGED}*"):  # by an installer that was killed
                shutil.rmtree(left, ignore_errors=True)
            staging = Path(tempfile.mkdtemp(dir=versions, prefix=_STAGED))
        except OSError as error:
            raise NodeError(f"{self.prefix}: {error.strerror}", cure="give another --prefix on a disk") from None
        try:
            yield staging
        finally:
            shutil.rmtree(staging, ignore_errors=True)
