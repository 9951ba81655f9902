"""Which shim host runs which pod: a folder for each host, and in it a file for each of its pods.

    hosts/<name>/socket        where it answers containerd
    hosts/<name>/alive         locked by it as long as it lives
    hosts/<name>/pods/<pod>    a pod that it runs, or is about to be asked to: a link to its bundle
    hosts/<name>/retired       it takes no more pods

Hosts of one containerd and namespace share a prefix, and with the tree that they run from a longer one: after an
upgrade no pod goes to a host of the old version. Everything that adds or removes happens under one lock, so that a pod
is never given to a host that is about to end. A host that died is found by its lock, which is free; a pod that was
given a place and then came to nothing, by its bundle, which containerd has removed.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_SOCKET = "socket"
_ALIVE = "alive"
_PODS = "pods"
_RETIRED = "retired"
_BACKLOG = 128


@dataclass(frozen=True, slots=True)
class Place:
    """A host's folder."""

    folder: Path

    @property
    def address(self) -> str:
        """As containerd wants it."""
        return f"unix://{self.folder / _SOCKET}"

    def has(self, pod: str) -> bool:
        return os.path.lexists(self.folder / _PODS / pod)

    def pods(self) -> int:
        """Those whose bundle is there."""
        return sum(map(os.path.exists, (self.folder / _PODS).iterdir()))

    def take(self, pod: str, bundle: Path) -> None:
        self.leave(pod)
        (self.folder / _PODS / pod).symlink_to(bundle)

    def leave(self, pod: str) -> None:
        (self.folder / _PODS / pod).unlink(missing_ok=True)

    def retire(self) -> None:
        (self.folder / _RETIRED).touch(mode=0o600)

    def takes(self, capacity: int) -> bool:
        return not (self.folder / _RETIRED).exists() and self.pods() < capacity

    def is_alive(self) -> bool:
        """Asked of the kernel: a host that is busy, or stopped, is not waited for."""
        try:
            lock = os.open(self.folder / _ALIVE, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            return not _is_free(lock)
        finally:
            os.close(lock)

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Seat:
    """What a host has of its place from its first moment: its socket, and the lock that tells of its end."""

    listener: socket.socket
    alive: int


class Hosts:
    """The hosts of one containerd and namespace. capacity: pods of one host. tree: what its program runs from."""

    def __init__(self, folder: Path, containerd: str, namespace: str, capacity: int, tree: str = sys.prefix) -> None:
        self._folder = folder
        self._prefix = f"{_short(containerd, namespace)}-"
        self._ours = f"{self._prefix}{_short(tree)}-"
        self._capacity = capacity

    def find(self, pod: str) -> Place | None:
        """Who runs the pod, if its host is alive."""
        return next(
            (place for place in _places(self._folder, self._prefix) if place.has(pod) and place.is_alive()), None
        )

    def join(self, pod: str, bundle: Path) -> Place | None:
        """Give a new pod a place with a host that is there, if one has room."""
        with self._locked():
            return self._joined(pod, bundle)

    def place(self, pod: str, bundle: Path) -> tuple[Place, Seat | None]:
        """Give a new pod a place; with a seat when the caller is to be the host there."""
        with self._locked():
            if found := self._joined(pod, bundle):
                return found, None
            return self._founded(pod, bundle)

    def leave(self, place: Place, pod: str) -> None:
        """The pod is gone."""
        with self._locked():
            place.leave(pod)

    def close(self, place: Place) -> bool:
        """Whether the host may end: it has no pod and will get none."""
        with self._locked():
            if place.pods():
                return False
            place.remove()
            return True

    def _joined(self, pod: str, bundle: Path) -> Place | None:
        alive = list(_alive(self._folder, self._prefix))
        ours = (place for place in alive if place.folder.name.startswith(self._ours))
        free = (place for place in ours if place.takes(self._capacity))
        found = next((place for place in alive if place.has(pod)), None) or next(free, None)
        if found:
            found.take(pod, bundle)
        return found

    def _founded(self, pod: str, bundle: Path) -> tuple[Place, Seat]:
        place = Place(self._folder / f"{self._ours}{os.getpid()}")
        (place.folder / _PODS).mkdir(mode=0o700, parents=True)
        try:
            place.take(pod, bundle)
            listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            listener.bind(str(place.folder / _SOCKET))
            (place.folder / _SOCKET).chmod(0o600)
            listener.listen(_BACKLOG)
            return place, Seat(listener, _locked_for_good(place.folder / _ALIVE))
        except OSError:
            place.remove()
            raise

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with _locked(self._folder):
            yield


def sweep(folder: Path) -> None:
    """Remove what hosts that have died left here, whosever they were."""
    with _locked(folder):
        for _ in _alive(folder, ""):
            pass


def _alive(folder: Path, prefix: str) -> Iterator[Place]:
    """Those that answer; the others are removed."""
    for place in _places(folder, prefix):
        if place.is_alive():
            yield place
        else:
            place.remove()


def _places(folder: Path, prefix: str) -> list[Place]:
    return [Place(found) for found in sorted(folder.glob(f"{prefix}*-*"))]


def _short(*what: str) -> str:
    return hashlib.sha256("\n".join(what).encode()).hexdigest()[:8]


def _is_free(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _locked_for_good(path: Path) -> int:
    """A descriptor that holds the lock until it is closed, by the end of this process if by nothing else."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
