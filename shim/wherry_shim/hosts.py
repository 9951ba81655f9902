"""Which shim host runs which pod: a folder for each host, and in it a file for each of its pods.

    hosts/<name>/socket        where it answers containerd
    hosts/<name>/pods/<pod>    a pod that it runs, or is about to be asked to

Hosts of one containerd and namespace share a prefix. Everything that adds or removes happens under one lock, so that a
pod is never given to a host that is about to end. A host that died is found by its socket, which nobody answers.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_SOCKET = "socket"
_PODS = "pods"
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
        return (self.folder / _PODS / pod).exists()

    def pods(self) -> int:
        return len(os.listdir(self.folder / _PODS))

    def take(self, pod: str) -> None:
        (self.folder / _PODS / pod).touch(mode=0o600)

    def is_alive(self) -> bool:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            return probe.connect_ex(str(self.folder / _SOCKET)) == 0


class Hosts:
    """The hosts of one containerd and namespace. capacity: pods of one host."""

    def __init__(self, folder: Path, containerd: str, namespace: str, capacity: int) -> None:
        self._folder = folder
        self._prefix = hashlib.sha256(f"{containerd}\n{namespace}".encode()).hexdigest()[:8]
        self._capacity = capacity

    def find(self, pod: str) -> Place | None:
        """Who runs the pod, if its host is alive."""
        return next((place for place in self._places() if place.has(pod) and place.is_alive()), None)

    def place(self, pod: str) -> tuple[Place, socket.socket | None]:
        """Give a new pod a place; with a socket that listens when the caller is to be the host there."""
        with self._locked():
            for place in self._places():
                if not place.is_alive():
                    shutil.rmtree(place.folder, ignore_errors=True)
                elif place.has(pod) or place.pods() < self._capacity:
                    place.take(pod)
                    return place, None
            return self._founded(pod)

    def leave(self, place: Place, pod: str) -> None:
        """The pod is gone."""
        with self._locked():
            (place.folder / _PODS / pod).unlink(missing_ok=True)

    def close(self, place: Place) -> bool:
        """Whether the host may end: it has no pod and will get none."""
        with self._locked():
            if place.pods():
                return False
            shutil.rmtree(place.folder)
            return True

    def _founded(self, pod: str) -> tuple[Place, socket.socket]:
        place = Place(self._folder / f"{self._prefix}-{os.getpid()}")
        shutil.rmtree(place.folder, ignore_errors=True)
        (place.folder / _PODS).mkdir(mode=0o700, parents=True)
        place.take(pod)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(str(place.folder / _SOCKET))
        (place.folder / _SOCKET).chmod(0o600)
        listener.listen(_BACKLOG)
        return place, listener

    def _places(self) -> list[Place]:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return [Place(folder) for folder in sorted(self._folder.glob(f"{self._prefix}-*"))]

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self._folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
