"""The filter of a worker: what it says to each call on either processor, and that the kernel holds to it."""

from __future__ import annotations

import errno
import platform
import signal
import socket
import struct
import subprocess
import sys

import pytest

from wherry.engine.http.written import PAGEMAP_SCAN
from wherry_shim.linux.numbers import MACHINES, exists, number
from wherry_shim.linux.seccomp import ALLOWED, CONDITIONAL, assembled, instructions, worker_filter

ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
ALLOW, KILL = 0x7FFF0000, 0x80000000
DENIED, ABSENT = 0x50000 | errno.EPERM, 0x50000 | errno.ENOSYS

_OUTSIDE = """
    mount umount2 pivot_root chroot open_tree move_mount fsopen unshare setns ptrace process_vm_readv process_vm_writev
    kcmp bpf keyctl add_key io_uring_enter userfaultfd perf_event_open kexec_load init_module finit_module mknodat
    reboot swapon execve setuid personality open_by_handle_at vmsplice seccomp
"""
NEVER = tuple(_OUTSIDE.split())


def verdict(machine: str, call: int, *arguments: int, architecture: int | None = None) -> int:
    """What the filter returns for this call, by a machine of its own for the few instructions that it has."""
    at = ARCHITECTURES[machine] if architecture is None else architecture
    data = struct.pack("=IIQ6Q", call, at, 0, *arguments, *(0,) * (6 - len(arguments)))
    program, position, value = instructions(machine), 0, 0
    while True:
        code, if_true, if_false, constant = program[position]
        position += 1
        if code == 0x06:
            return constant
        if code == 0x20:
            (value,) = struct.unpack_from("=I", data, constant)
        elif code == 0x54:
            value &= constant
        else:
            holds = {0x15: value == constant, 0x25: value > constant, 0x35: value >= constant}[code]
            position += if_true if holds else if_false


@pytest.fixture(params=MACHINES)
def machine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_what_is_listed_is_allowed(machine: str) -> None:
    for name in ALLOWED:
        if exists(name, machine):
            assert verdict(machine, number(name, machine)) == ALLOW, name


@pytest.mark.parametrize("name", NEVER)
def test_what_reaches_outside_is_denied(machine: str, name: str) -> None:
    assert name not in ALLOWED
    assert name not in CONDITIONAL
    assert verdict(machine, number(name, machine)) == DENIED


def test_every_other_number_is_denied(machine: str) -> None:
    names = {*ALLOWED, *CONDITIONAL, "clone3", "io_uring_setup"}
    listed = {number(name, machine) for name in names if exists(name, machine)}
    assert {verdict(machine, call) for call in range(1000) if call not in listed} == {DENIED}


@pytest.mark.parametrize("name", ["clone3", "io_uring_setup"])
def test_what_has_an_older_way_is_not_there(machine: str, name: str) -> None:
    assert verdict(machine, number(name, machine)) == ABSENT


def test_another_architecture_ends_the_process(machine: str) -> None:
    for other in (0x40000003, *(value for name, value in ARCHITECTURES.items() if name != machine)):
        assert verdict(machine, number("read", machine), architecture=other) == KILL


def test_the_door_of_32_bit_pointers_ends_the_process() -> None:
    assert verdict("x86_64", 0x40000000) == KILL


THREAD = 0x3D0F00  # what the C library starts threads with
FORK = 0x01200011


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("clone", (FORK,), ALLOW),
        ("clone", (THREAD,), ALLOW),
        *(("clone", (FORK | 1 << bit,), DENIED) for bit in (15, 17, 25, 26, 27, 28, 29, 30)),
        ("mmap", (0, 4096, 3, 0x22), ALLOW),
        ("mmap", (0, 4096, 5, 0x2), ALLOW),
        ("mmap", (0, 4096, 7, 0x22), DENIED),
        ("mprotect", (0, 4096, 5), ALLOW),
        ("mprotect", (0, 4096, 6), DENIED),
        ("socket", (socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_CLOEXEC), ALLOW),
        ("socket", (socket.AF_INET6, socket.SOCK_DGRAM), ALLOW),
        ("socket", (socket.AF_UNIX, socket.SOCK_STREAM), ALLOW),
        ("socket", (socket.AF_INET, socket.SOCK_RAW, 1), DENIED),
        ("socket", (socket.AF_NETLINK, socket.SOCK_RAW, 0), ALLOW),
        ("socket", (socket.AF_NETLINK, socket.SOCK_RAW, 9), DENIED),
        ("socket", (socket.AF_PACKET, socket.SOCK_RAW), DENIED),
        ("socket", (38, socket.SOCK_STREAM), DENIED),  # AF_ALG
        ("socket", (40, socket.SOCK_STREAM), DENIED),  # AF_VSOCK
        ("ioctl", (0, 0x5421), ALLOW),
        ("ioctl", (0, PAGEMAP_SCAN), ALLOW),
        ("ioctl", (0, 0x5412), DENIED),  # TIOCSTI: words put into a terminal's mouth
        ("prctl", (15,), ALLOW),
        ("prctl", (22,), DENIED),  # PR_SET_SECCOMP
        ("prctl", (4,), DENIED),  # PR_SET_DUMPABLE
        ("prlimit64", (0, 7), ALLOW),
        ("prlimit64", (1, 7), DENIED),
    ],
)
def test_arguments_decide(machine: str, name: str, arguments: tuple[int, ...], expected: int) -> None:
    assert verdict(machine, number(name, machine), *arguments) == expected


def test_no_jump_is_longer_than_a_byte(machine: str) -> None:
    assert len(assembled(instructions(machine))) == 8 * len(instructions(machine)) == len(worker_filter(machine))


PROGRAM = """
import ctypes, errno, os, sys, threading
from wherry_shim.linux.numbers import number
from wherry_shim.linux.calls import make
from wherry_shim.linux.privileges import no_new_privileges
from wherry_shim.linux.seccomp import install, worker_filter
make(no_new_privileges())
install(worker_filter())
libc = ctypes.CDLL(None, use_errno=True)
"""


def _confined(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", PROGRAM + program, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_the_kernel_refuses_what_the_filter_does() -> None:
    program = """
for name in sys.argv[1:]:
    assert libc.syscall(number(name), -1, 0, 0, 0, 0, 0) == -1, name
    assert ctypes.get_errno() == errno.EPERM, (name, ctypes.get_errno())
print("all refused")
"""
    done = _confined(program, *NEVER)
    assert done.stdout == "all refused\n", done.stderr


def test_threads_and_forks_go_on_and_inherit_the_filter() -> None:
    program = """
thread = threading.Thread(target=print, args=("thread",))
thread.start()
thread.join()
sys.stdout.flush()
if (child := os.fork()) == 0:
    try:
        os.execv("/bin/true", ["true"])
    except PermissionError:
        os._exit(7)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    done = _confined(program)
    assert done.stdout == "thread\n7\n", done.stderr


def test_a_filter_needs_no_new_privileges_or_the_right_to_set_it() -> None:
    program = """
from wherry_shim.linux.calls import make
from wherry_shim.linux.privileges import drop_capabilities
from wherry_shim.linux.seccomp import install, worker_filter
make(drop_capabilities())
try:
    install(worker_filter())
except OSError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "[Errno 13] prctl 22: Permission denied\n", done.stderr


@pytest.mark.skipif(platform.machine() != "x86_64", reason="only x86_64 has a door for another architecture")
def test_a_call_by_another_door_ends_the_process() -> None:
    assert _confined('libc.syscall(0x40000000 | number("getpid"))').returncode == -signal.SIGSYS
