"""Places of pods on hosts, with real folders, sockets and locks."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from wherry_shim.hosts import Hosts, Place, Seat, sweep


@pytest.fixture
def folder() -> Iterator[Path]:
    """Short enough for a socket's path."""
    made = Path(f"/tmp/wherry-hosts-{os.getpid()}")
    yield made / "hosts"
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
def listeners() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def take(seat: Seat, until: ExitStack) -> None:
    """Live as a host there, until the stack is closed."""
    until.enter_context(seat.listener)
    until.callback(os.close, seat.alive)


class Node:
    """Pods with bundles, and hosts that this process plays: each is founded as by a process of its own."""

    def __init__(self, folder: Path, capacity: int, listeners: ExitStack, tree: str = "/tree") -> None:
        self.hosts = Hosts(folder, "/c.sock", "k8s.io", capacity, tree)
        self._folder = folder
        self._listeners = listeners
        self._founded = 0

    def bundle(self, pod: str) -> Path:
        made = self._folder.parent / "bundles" / pod
        made.mkdir(parents=True, exist_ok=True)
        return made

    def place(self, pod: str) -> Place:
        place, seat = self.hosts.place(pod, self.bundle(pod))
        if seat is None:
            return place
        take(seat, self._listeners)
        self._founded += 1
        own = place.folder.with_name(f"{place.folder.name}{self._founded}")
        place.folder.rename(own)
        return Place(own)


@pytest.mark.parametrize("capacity", [1, 2])
def test_a_host_takes_as_many_pods_as_it_may(folder: Path, listeners: ExitStack, capacity: int) -> None:
    node = Node(folder, capacity, listeners)
    places = [node.place(f"pod{number}") for number in range(5)]
    assert [place.pods() for place in places][: 5 - 5 % capacity] == [capacity] * (5 - 5 % capacity)
    assert len({place.folder for place in places}) == -(-5 // capacity)


def test_a_pod_that_asks_again_keeps_its_place(folder: Path, listeners: ExitStack) -> None:
    node = Node(folder, 1, listeners)
    first, second = node.place("one"), node.place("two")
    assert (node.place("one"), node.place("two")) == (first, second)
    assert node.hosts.find("two") == second


def test_after_an_upgrade_new_pods_get_hosts_of_the_new_version_and_old_pods_keep_theirs(
    folder: Path, listeners: ExitStack
) -> None:
    old, new = Node(folder, 8, listeners), Node(folder, 8, listeners, "/newer")
    first, second = old.place("one"), new.place("two")
    assert first != second
    assert new.place("three") == second
    assert (new.hosts.find("one"), new.place("one")) == (first, first)


def test_a_place_is_free_when_its_pod_came_to_nothing(folder: Path, listeners: ExitStack) -> None:
    """containerd removes the bundle of a pod that could not be started, and tells nobody."""
    node = Node(folder, 1, listeners)
    first = node.place("one")
    assert not node.hosts.close(first)
    node.bundle("one").rmdir()
    assert node.place("two") == first
    node.bundle("two").rmdir()
    assert node.hosts.close(first)
    assert not first.folder.exists()


def test_what_a_dead_host_left_is_removed(folder: Path) -> None:
    with ExitStack() as listeners:
        dead = Node(folder, 2, listeners).place("one")
    other = Hosts(folder, "/other.sock", "k8s.io", 2)
    place, seat = other.place("mine", folder)
    assert dead.folder.exists()  # only its own containerd's pods look at it
    assert Hosts(folder, "/c.sock", "k8s.io", 2).find("one") is None
    sweep(folder)
    assert not dead.folder.exists()
    assert place.is_alive()
    assert seat
    with ExitStack() as stack:
        take(seat, stack)
    assert not place.is_alive()


def test_a_pod_joins_a_host_that_is_there_and_founds_none(folder: Path, listeners: ExitStack) -> None:
    node = Node(folder, 2, listeners)
    assert node.hosts.join("one", node.bundle("one")) is None
    first = node.place("one")
    assert node.hosts.join("two", node.bundle("two")) == first
    assert node.hosts.join("three", node.bundle("three")) is None


def test_a_retired_host_keeps_its_pods_and_takes_no_more(folder: Path, listeners: ExitStack) -> None:
    node = Node(folder, 8, listeners)
    first = node.place("one")
    first.retire()
    assert node.hosts.find("one") == first
    assert node.place("two") != first


def test_a_host_never_ends_when_a_pod_was_given_to_it(folder: Path, listeners: ExitStack) -> None:
    node = Node(folder, 4, listeners)
    for _ in range(50):
        place = node.place("first")
        node.hosts.leave(place, "first")
        bundle = node.bundle("second")
        with ThreadPoolExecutor(2) as pool:
            closed = pool.submit(node.hosts.close, place)
            given, seat = pool.submit(node.hosts.place, "second", bundle).result()
        if seat:
            take(seat, listeners)
        assert closed.result() == (seat is not None)
        assert given.has("second")
        given.remove()
