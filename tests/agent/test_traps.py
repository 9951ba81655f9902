"""Traps: what workers append is read once, whole, and told at most once a minute for each container."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

from wherry.cluster.telling import Notice
from wherry.engine.http.head import checked
from wherry.engine.http.journal import Journal
from wherry.plan.ending import Ending
from wherry_agent.pods import Pods
from wherry_agent.trap_events import PAUSE, TrapEvents
from wherry_agent.trap_files import Trapped, taken

POD: dict[str, Any] = {
    "metadata": {"namespace": "shop", "name": "cart-1", "uid": "u1", "labels": {"wherry.dev/app": "cart"}}
}
HEAD = checked(b"GET", b"/buy", "1.1", [(b"host", b"shop")], keep_alive=True, max_body=None)


def append(state: Path, *reasons: str, pod: str = "u1") -> None:
    """By the worker's own code."""
    (state / pod).mkdir(parents=True, exist_ok=True)
    descriptor = os.open(state / pod / "app.trap", os.O_RDWR | os.O_CREAT | os.O_APPEND)
    silent = os.open(os.devnull, os.O_WRONLY)
    journal = Journal(silent, access=False, traps=descriptor)
    for reason in reasons:
        journal.ended(Ending(134, "trap", reason, "it ended", ("main.run", "main.main")), HEAD, b"7")
    os.close(descriptor)
    os.close(silent)


def test_entries_are_taken_once_and_whole(tmp_path: Path) -> None:
    append(tmp_path, "unreachable", "stack-overflow")
    (found,) = taken(tmp_path)
    assert (found.uid, found.container) == ("u1", "app")
    assert [entry.partition(":")[0] for entry in found.entries] == ["trap/unreachable", "trap/stack-overflow"]
    assert found.entries[0].endswith("in request GET /buy id=7")
    assert list(taken(tmp_path)) == []


def test_a_worker_goes_on_appending_to_what_was_read(tmp_path: Path) -> None:
    append(tmp_path, "unreachable")
    with (tmp_path / "u1/app.trap").open("ab", buffering=0) as held:
        list(taken(tmp_path))
        held.write(b"trap/host: again\n    in request GET / id=1\n")
    assert [each.entries for each in taken(tmp_path)] == [("trap/host: again\n    in request GET / id=1",)]


def test_half_an_entry_and_a_link_are_nothing(tmp_path: Path) -> None:
    (tmp_path / "u1").mkdir()
    (tmp_path / "u1/app.trap").write_text("trap/unreachable: cut off\n")
    (tmp_path / "secret").write_text("trap/host: x\n    in request GET / id=1\n")
    (tmp_path / "u2").mkdir()
    (tmp_path / "u2/app.trap").symlink_to(tmp_path / "secret")
    assert list(taken(tmp_path)) == []
    assert (tmp_path / "secret").read_text()


class Told:
    """Stands for the API server, to be away."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str, int, str]] = []
        self.away = False

    async def tell(self, about: Any, notice: Notice, *, times: int = 1, part: str = "") -> bool:
        if not self.away:
            self.events.append((about["metadata"]["name"], notice.message, times, part))
        return not self.away


class Scene:
    def __init__(self) -> None:
        self.now, self.told, self.pods = 0.0, Told(), Pods()
        self.events = TrapEvents(self.pods, self.told, lambda: self.now)  # type: ignore[arg-type]

    def tell(self, *entries: str, container: str = "app") -> None:
        trapped = [Trapped("u1", container, entries)] if entries else []
        asyncio.run(self.events.tell(trapped))


def test_the_first_trap_is_told_at_once_and_more_of_them_after_a_minute_with_their_number() -> None:
    scene = Scene()
    scene.pods.put(POD)
    scene.tell("one")
    scene.tell("two")
    scene.tell("three", "four")
    assert scene.told.events == [("cart-1", "one", 1, "spec.containers{app}")]
    scene.now = PAUSE
    scene.tell()
    scene.tell()
    assert scene.told.events[1:] == [("cart-1", "four", 3, "spec.containers{app}")]


def test_containers_do_not_wait_for_each_other() -> None:
    scene = Scene()
    scene.pods.put(POD)
    scene.tell("one")
    scene.tell("two", container="side")
    assert [event[3] for event in scene.told.events] == ["spec.containers{app}", "spec.containers{side}"]


def test_what_cannot_be_told_now_is_told_later() -> None:
    scene = Scene()
    scene.tell("before the Pod is known")
    scene.pods.put(POD)
    scene.told.away = True
    scene.tell("while the API server is away")
    assert scene.told.events == []
    scene.told.away = False
    scene.now = 5.0
    scene.tell()
    assert scene.told.events == [("cart-1", "while the API server is away", 2, "spec.containers{app}")]
