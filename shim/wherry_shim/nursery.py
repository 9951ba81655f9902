"""The nursery: a process beside the host, forked before the host touched anything, of which all children are cloned.

A child shares the memory of its origin until either writes. The host's is written all the time; the nursery's is as the
zygote left it, so that a child costs only what it does itself. Children are the host's: the host reaps and kills them.

A request is one packet: how to clone, what to become, and its words, which the nursery passes on unread, with open
files. The answer is the child's pid, or minus an errno.
"""

from __future__ import annotations

import os
import signal
import socket
import struct
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NoReturn

from wherry.errors import StartError
from wherry_shim.linux.clone import CLONE_PARENT, clone
from wherry_shim.linux.process import die_with_parent, set_name

Child = Callable[[bytes, list[int]], NoReturn]
"""What a child does with its words and its files, which are its own to close. It must not return."""

_HEAD = struct.Struct("=QB?")
_ANSWER = struct.Struct("=i")
_PACKET = 1 << 16
_FILES = 16


class Nursery:
    """The host's end."""

    def __init__(self, end: socket.socket, pid: int) -> None:
        self._end = end
        self.pid = pid

    def bear(self, child: int, words: bytes, files: Sequence[int], flags: int = 0, cgroup: int | None = None) -> int:
        """The pid of a new child of this process. child: its place in the list given to `found`.

        flags: CLONE_NEW*. cgroup: see `clone`. The files stay open here. Raises OSError, StartError.
        """
        given = [*files, *([cgroup] if cgroup is not None else [])]
        pid: int = _ANSWER.unpack(self._asked(_HEAD.pack(flags, child, cgroup is not None) + words, given))[0]
        if pid < 0:
            raise OSError(-pid, f"clone: {os.strerror(-pid)}")
        return pid

    def _asked(self, packet: bytes, files: Sequence[int]) -> bytes:
        with suppress(ConnectionError):
            socket.send_fds(self._end, [packet], files)
            if answer := self._end.recv(_ANSWER.size):
                return answer
        raise StartError(
            "instantiate", "the nursery of this pod's host has ended", cure="delete the pod: a new one has a new host"
        )


def found(children: Sequence[Child]) -> Nursery:
    """Fork the nursery. Before anything of this process is worth hiding from guests."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    parent = os.getpid()
    pid = clone()
    if pid:
        theirs.close()
        return Nursery(ours, pid)
    ours.close()
    try:
        _close_all_but(theirs.fileno())
        set_name("wherry-nursery")
        die_with_parent(parent, signal.SIGKILL)
        _serve(theirs, children)
    finally:
        os._exit(1)


def _serve(end: socket.socket, children: Sequence[Child]) -> None:
    while True:
        packet, files, _, _ = socket.recv_fds(end, _PACKET, _FILES)
        if not packet:
            os._exit(0)  # the host has ended
        flags, child, has_cgroup = _HEAD.unpack_from(packet)
        try:
            pid = clone(flags | CLONE_PARENT, files[-1] if has_cgroup else None)
        except OSError as error:
            pid = -(error.errno or 1)
        if not pid:
            end.close()
            if has_cgroup:
                os.close(files.pop())
            children[child](packet[_HEAD.size :], files)
        end.send(_ANSWER.pack(pid))
        for descriptor in files:
            os.close(descriptor)


def _close_all_but(kept: int) -> None:
    """Standard streams stay. A host's listener, and a launcher's pidfd, are not for guests to inherit."""
    os.closerange(3, kept)
    os.closerange(kept + 1, 1 << 16)
