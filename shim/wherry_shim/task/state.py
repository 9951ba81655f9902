"""A task's states and the moves between them: what is not in the table does not happen. Pure.

              start            pause
 ┌ created ────────► running ◄────────► paused
 │    │ exit            │ exit            │ exit
 │    ▼                 ▼                 │
 │  stopped ◄───────────┴─────────────────┘
 │    │ delete
 ▼    ▼
deleted
"""

from __future__ import annotations

from enum import Enum
from typing import Literal

from wherry_shim.ttrpc.codes import Code, RpcError


class State(Enum):
    """Values: numbers of containerd's task Status."""

    CREATED = 1
    RUNNING = 2
    STOPPED = 3
    PAUSED = 4
    DELETED = 0


Verb = Literal["start", "pause", "resume", "exit", "delete", "kill", "update", "exec"]

TRANSITIONS: dict[tuple[State, Verb], State] = {
    (State.CREATED, "start"): State.RUNNING,
    (State.RUNNING, "pause"): State.PAUSED,
    (State.PAUSED, "resume"): State.RUNNING,
    (State.CREATED, "exit"): State.STOPPED,
    (State.RUNNING, "exit"): State.STOPPED,
    (State.PAUSED, "exit"): State.STOPPED,
    (State.CREATED, "delete"): State.DELETED,
    (State.STOPPED, "delete"): State.DELETED,
    **{(state, "kill"): state for state in (State.CREATED, State.RUNNING, State.PAUSED)},
    **{(state, "update"): state for state in (State.CREATED, State.RUNNING, State.PAUSED)},
    (State.RUNNING, "exec"): State.RUNNING,
}


def after(state: State, verb: Verb, task: str) -> State:
    """The state that the move leads to.

    Raises RpcError: NOT_FOUND for what was deleted, and for a signal to what has ended, which containerd takes for
    done; else FAILED_PRECONDITION.
    """
    if (found := TRANSITIONS.get((state, verb))) is not None:
        return found
    if state is State.DELETED:
        raise RpcError(Code.NOT_FOUND, f"task {task} is not here")
    if verb == "kill":
        raise RpcError(Code.NOT_FOUND, f"task {task}: process already finished")
    raise RpcError(Code.FAILED_PRECONDITION, f"task {task}: cannot {verb} a task that is {state.name.lower()}")
