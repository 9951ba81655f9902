"""A cgroup's making and removal beside the loop: files are written at once, systemd and processes that linger are not
waited for. A thread for each would cost more than the files do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from wherry_shim.linux.cgroup import Cgroup, Resources


async def make(cgroup: Cgroup, resources: Resources) -> None:
    """Raises CgroupError."""
    await _done(cgroup, lambda: cgroup.create(resources))


async def change(cgroup: Cgroup, resources: Resources) -> None:
    """Raises CgroupError."""
    await _done(cgroup, lambda: cgroup.update(resources))


async def empty(cgroup: Cgroup) -> None:
    """All of its processes end. Raises CgroupError when they do not."""
    if cgroup.pids():
        await asyncio.to_thread(cgroup.kill)


async def remove(cgroup: Cgroup) -> None:
    """With what is in it. Raises CgroupError."""
    await empty(cgroup)
    await _done(cgroup, cgroup.remove)


async def settled(work: asyncio.Task[None]) -> None:
    """Until it is over. What is done for a container that has failed may fail, too, and that is no news."""
    await asyncio.wait({work})
    work.exception()


async def _done(cgroup: Cgroup, action: Callable[[], None]) -> None:
    if cgroup.slow:
        await asyncio.to_thread(action)
    else:
        action()
