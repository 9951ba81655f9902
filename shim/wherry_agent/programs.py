"""Commands that change the node, each in a process of its own: its memory goes with it, and when the agent must end in
the middle, it is asked to end first and leaves the node as it was.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
from collections import deque
from dataclasses import dataclass
from typing import Protocol

from wherry_agent.post import Post

LOG = logging.getLogger(__name__)
KEPT = 40
"""Lines of its output, for the reason of its failure."""


@dataclass(frozen=True, slots=True)
class Ended:
    """code: of its exit. said: the last lines."""

    code: int
    said: tuple[str, ...]

    @property
    def fault(self) -> str:
        """One sentence; "" when it ended well."""
        if not self.code:
            return ""
        marked = [line.partition(": ")[2] for line in self.said if line.startswith(("wherry-node: ", "wherry-agent: "))]
        return (marked or [*self.said[-1:], f"exit status {self.code}"])[0]


class Programs(Protocol):
    """What changes a node."""

    async def install(self, *, proven: bool) -> Ended:
        """Install, upgrade or repair. proven: nothing has to be probed that is not changed."""

    async def uninstall(self, *, force: bool) -> Ended:
        """Put the node back as it was. force: and end Wasm pods that run."""

    async def prewarm(self, image: str, plan: str, *, pull: bool) -> Ended:
        """Compile what Pods with this annotation need. pull: fetch the image, if anybody may."""


@dataclass(frozen=True, slots=True)
class OwnPrograms:
    """Those of this image, on the node that is mounted into it."""

    post: Post

    async def install(self, *, proven: bool) -> Ended:
        return await run("wherry_agent", "install", *(["--proven"] if proven else []))

    async def uninstall(self, *, force: bool) -> Ended:
        return await run("wherry_shim.node", "uninstall", *self._places, *(["--force"] if force else []))

    async def prewarm(self, image: str, plan: str, *, pull: bool) -> Ended:
        options = ("--plan", plan, *(["--pull"] if pull else []))
        return await run("wherry_shim.node", "prewarm", *self._places, *options, image)

    @property
    def _places(self) -> tuple[str, ...]:
        return "--root", str(self.post.root), "--prefix", self.post.prefix


async def run(module: str, *arguments: str) -> Ended:
    """Run one to its end; its output goes to the log, line by line. Cancelled: it is ended first, in its own time."""
    command = (sys.executable, "-P", "-m", module, *arguments)
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=asyncio.subprocess.STDOUT)
    said: deque[str] = deque(maxlen=KEPT)
    try:
        assert process.stdout  # noqa: S101  it is a pipe
        async for line in process.stdout:
            said.append(line.decode(errors="replace").rstrip())
            LOG.info("%s", said[-1])
        return Ended(await process.wait(), tuple(said))
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await asyncio.shield(process.wait())
