"""`run(plan, host)`: the engine's whole interface to those who have a plan."""

from __future__ import annotations

from collections.abc import Callable

from wherry.engine.host import Host
from wherry.plan.ending import Ending
from wherry.plan.model import RunPlan


def run(plan: RunPlan, host: Host, reload: Callable[[], RunPlan | None] | None = None) -> Ending:
    """Run until the end and say how it ended. Blocks. SIGTERM and SIGINT end it when this is the main thread.

    reload: asked now and then while http is served; a plan that it returns replaces the one that runs.
    Raises StartError when it could not start.
    """
    # A command needs no server, and a server no command: each pays only for its own imports.
    if plan.run == "command":
        from wherry.engine import command  # noqa: PLC0415

        return command.run(plan, host)
    from wherry.engine.http import supervisor  # noqa: PLC0415

    return supervisor.serve(plan, host, reload)
