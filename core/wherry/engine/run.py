"""`run(plan, host)`: the engine's whole interface to those who have a plan.

In three steps for those who give up rights or their view of the host in between: `prepare`, `load`, `run`.
"""

from __future__ import annotations

from contextlib import closing
from typing import Protocol

from wherry.engine.host import Host, Reload
from wherry.engine.prepare import Prepared, prepare
from wherry.plan.ending import Ending
from wherry.plan.model import RunPlan


class Loaded(Protocol):
    """A guest in this process's memory that waits to be run, once."""

    def run(self, reload: Reload | None = None) -> Ending:
        """Until the end. Blocks. SIGTERM and SIGINT end it when this is the main thread. Raises StartError."""
        ...

    def close(self) -> None:
        """Free it; without effect after `run`."""
        ...


def run(plan: RunPlan, host: Host, reload: Reload | None = None) -> Ending:
    """Run until the end and say how it ended. Blocks. SIGTERM and SIGINT end it when this is the main thread.

    Raises StartError when it could not start.
    """
    with closing(load(prepare(plan, host), host)) as loaded:
        return loaded.run(reload)


def load(prepared: Prepared, host: Host) -> Loaded:
    """Map the code and, for http, bind the sockets. Starts no thread and runs nothing. Raises StartError."""
    # A command needs no server, and a server no command: each pays only for its own imports.
    if prepared.plan.run == "command":
        from wherry.engine.command import Command  # noqa: PLC0415

        return Command(prepared, host)
    from wherry.engine.http.supervisor import Server  # noqa: PLC0415

    return Server(prepared, host)
