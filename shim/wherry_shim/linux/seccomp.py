"""System calls that a worker may still make when it has dropped its rights (seccomp(2)).

An allow-list: everything else fails with EPERM, a call through another architecture's door ends the process. The list
is what CPython, wasmtime, uvloop and the C library use while they run guests, found by running the engine's guests
under it. A call that reaches outside of the worker is never on it: mounts, namespaces, other processes' memory,
programs, keys, modules, BPF, io_uring.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import socket
import struct
import termios
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from wherry_shim.linux.numbers import exists, number
from wherry_shim.linux.process import prctl

_FILES = """
    read pread64 preadv preadv2 readv write pwrite64 pwritev pwritev2 writev lseek open openat openat2 close close_range
    stat fstat lstat newfstatat statx statfs fstatfs access faccessat faccessat2 getdents64 readlink readlinkat getcwd
    fcntl flock ftruncate fallocate fadvise64 fsync fdatasync sync_file_range copy_file_range sendfile
    mkdir mkdirat rmdir unlink unlinkat rename renameat renameat2 link linkat symlink symlinkat utimensat fchmod umask
    dup dup2 dup3 pipe pipe2 memfd_create
"""
_WAITING = """
    epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2 eventfd2 poll ppoll select pselect6
    clock_gettime clock_getres clock_nanosleep nanosleep gettimeofday time
"""
_SOCKETS = """
    socketpair bind listen accept accept4 connect shutdown getsockname getpeername getsockopt setsockopt
    sendto sendmsg sendmmsg recvfrom recvmsg recvmmsg
"""
_MEMORY = "munmap mremap madvise brk msync membarrier"
_PROCESSES = """
    exit exit_group wait4 waitid futex set_robust_list set_tid_address rseq restart_syscall
    rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigsuspend rt_sigtimedwait sigaltstack pause
    kill tgkill pidfd_open pidfd_send_signal sched_yield sched_getaffinity getcpu
    getpid getppid gettid getuid geteuid getgid getegid getresuid getresgid getgroups getpgrp getpgid getsid
    getrusage times sysinfo uname getrlimit getrandom
"""

ALLOWED = tuple(" ".join((_FILES, _WAITING, _SOCKETS, _MEMORY, _PROCESSES)).split())
"""Allowed with any arguments."""

ABSENT = ("clone3", "io_uring_setup")
"""Fail with ENOSYS: their callers then take the older way, and clone3's flags cannot be looked at."""


@dataclass(frozen=True, slots=True)
class Condition:
    """The low 32 bits of an argument, masked, are one of the values."""

    argument: int
    values: tuple[int, ...]
    mask: int = 0xFFFFFFFF


_ANOTHER_PARENT_OR_NAMESPACE = 0x7E02_8000  # CLONE_PARENT, CLONE_NEWNS, …, CLONE_NEWNET
_WRITE, _WRITE_AND_EXECUTE = 0x2, 0x6
_CODE_OR_DATA = Condition(2, (0, _WRITE, 0x4), _WRITE_AND_EXECUTE)
_STREAM_OR_DATAGRAM = Condition(1, (socket.SOCK_STREAM, socket.SOCK_DGRAM), 0xF)
_PRCTL = {"PR_SET_PDEATHSIG": 1, "PR_SET_NAME": 15, "PR_GET_NAME": 16, "PR_SET_NO_NEW_PRIVS": 38}
_PAGEMAP_SCAN = 0xC060_6610  # which of its own pages a guest has written
_IOCTLS = (termios.TCGETS, termios.FIONREAD, termios.FIONBIO, termios.FIOCLEX, termios.FIONCLEX, _PAGEMAP_SCAN)

CONDITIONAL: Mapping[str, tuple[tuple[Condition, ...], ...]] = {
    "mmap": ((_CODE_OR_DATA,),),
    "mprotect": ((_CODE_OR_DATA,),),
    "clone": ((Condition(0, (0,), _ANOTHER_PARENT_OR_NAMESPACE),),),
    "socket": (
        (Condition(0, (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6)), _STREAM_OR_DATAGRAM),
        (Condition(0, (socket.AF_NETLINK,)), Condition(2, (0,))),  # getaddrinfo asks NETLINK_ROUTE for addresses
    ),
    "ioctl": ((Condition(1, _IOCTLS),),),
    "prctl": ((Condition(0, tuple(_PRCTL.values())),),),
    "prlimit64": ((Condition(0, (0,)),),),  # its own
}
"""Allowed if all conditions of one row hold."""

_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_X32 = 0x40000000
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data
_KILL, _ERRNO, _ALLOW = 0x80000000, 0x00050000, 0x7FFF0000
_LOAD, _AND, _EQUAL, _GREATER, _AT_LEAST, _RETURN = 0x20, 0x54, 0x15, 0x25, 0x35, 0x06

_PR_SET_SECCOMP = 22
_SECCOMP_MODE_FILTER = 2

Instruction = tuple[int, int, int, int]
"""struct sock_filter: code, how many to skip if true, how many if false, k."""

_YES: Instruction = (_RETURN, 0, 0, _ALLOW)
_NO: Instruction = (_RETURN, 0, 0, _ERRNO | errno.EPERM)
_NOT_THERE: Instruction = (_RETURN, 0, 0, _ERRNO | errno.ENOSYS)
_DIE: Instruction = (_RETURN, 0, 0, _KILL)


def worker_filter(machine: str = platform.machine()) -> bytes:
    """The filter of a worker, for `install`. Pure."""
    return assembled(instructions(machine))


def instructions(machine: str) -> list[Instruction]:
    """Classic BPF: the door first, then the calls that are allowed, then those that depend, then all others. Pure."""
    program = [(_LOAD, 0, 0, _ARCHITECTURE), (_EQUAL, 1, 0, _ARCHITECTURES[machine]), _DIE, (_LOAD, 0, 0, _NUMBER)]
    if machine == "x86_64":
        program += [(_AT_LEAST, 0, 1, _X32), _DIE]
    for first, last in runs(number(name, machine) for name in ALLOWED if exists(name, machine)):
        program += [(_AT_LEAST, 0, 2, first), (_GREATER, 1, 0, last), _YES]
    for name, rows in CONDITIONAL.items():
        program += _block(number(name, machine), [*_alternatives(rows), _NO])
    for name in ABSENT:
        program += _block(number(name, machine), [_NOT_THERE])
    return [*program, _NO]


def runs(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """First and last of each unbroken run: the kernel tries a filter on every call when it is installed. Pure."""
    found: list[tuple[int, int]] = []
    for call in sorted(numbers):
        if found and call == found[-1][1] + 1:
            found[-1] = (found[-1][0], call)
        else:
            found.append((call, call))
    return found


def assembled(program: Iterable[Instruction]) -> bytes:
    """As the kernel reads it. Pure."""
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in program)


def _block(call: int, body: list[Instruction]) -> list[Instruction]:
    return [(_EQUAL, 0, len(body), call), *body]


def _alternatives(rows: tuple[tuple[Condition, ...], ...]) -> list[Instruction]:
    return [instruction for row in rows for instruction in _all_of(row)]


def _all_of(conditions: tuple[Condition, ...]) -> list[Instruction]:
    """Allow if all hold, else go on behind it."""
    body = [_YES]
    for condition in reversed(conditions):
        test: list[Instruction] = [
            (_LOAD, 0, 0, _ARGUMENTS + 8 * condition.argument),
            (_AND, 0, 0, condition.mask),
        ]
        last = len(condition.values) - 1
        for index, value in enumerate(condition.values):
            test.append((_EQUAL, last - index, 0 if index < last else len(body), value))
        body = [*test, *body]
    return body


class _Program(ctypes.Structure):
    """struct sock_fprog"""

    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def install(code: bytes) -> None:
    """Confine this thread and its children to the filter, for ever. Needs no_new_privs or CAP_SYS_ADMIN.

    Raises OSError. A call of another architecture then ends the process by SIGSYS.
    """
    program = _Program(len(code) // struct.calcsize("=HBBI"), code)
    prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.addressof(program))
