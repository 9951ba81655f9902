"""What a worker needs to know, as one value: found out by the planner, handed over in memory that only the two have."""

from __future__ import annotations

import os
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wherry.engine.prepare import Prepared


@dataclass(frozen=True, slots=True)
class User:
    """Of an OCI process. umask: None leaves it."""

    uid: int
    gid: int
    groups: tuple[int, ...]
    umask: int | None


@dataclass(frozen=True, slots=True)
class Start:
    """prepared: compiled. joined: namespaces to enter. root: an empty folder. workers: processes that serve.

    user, rlimits (number, soft, hard) and oom_score: of the OCI process. resolver: files of the node by which hosts
    are found, and where. log: the termination log, "" for none.
    """

    prepared: Prepared
    joined: tuple[str, ...]
    root: str
    workers: int
    user: User
    rlimits: tuple[tuple[int, int, int], ...]
    oom_score: int | None
    resolver: tuple[tuple[str, str], ...]
    log: str


def write(start: Start, memory: int) -> None:
    """memory: an empty memfd. Raises OSError."""
    data = memoryview(pickle.dumps(start))
    while data:
        data = data[os.write(memory, data) :]


def read(memory: int) -> Start:
    """What was written; closes the descriptor."""
    with open(memory, "rb") as file:
        file.seek(0)
        start: Start = pickle.load(file)  # noqa: S301 - a process of ours wrote it, where nobody else can
        return start


def user_of(process: Mapping[str, Any]) -> User:
    """process: of config.json."""
    given = process.get("user") or {}
    return User(given.get("uid", 0), given.get("gid", 0), tuple(given.get("additionalGids") or ()), given.get("umask"))
