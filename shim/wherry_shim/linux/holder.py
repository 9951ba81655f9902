"""A program of some hundred bytes that holds a pod's namespaces: it waits and allocates nothing.

It takes SIGTERM and SIGINT from its queue of blocked signals and exits with 0. So it also ends when it is the first
process of a pid namespace, where the kernel drops a signal that would only have its default effect.

One that is bound ends with its creator: the kernel tells it of a later death, and an end of its stdin of one that came
before. It also lets the kernel reap every child that it is given.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from signal import SIGINT, SIGTERM

_BASE = 0x400000
_ALIGNMENT = 0x10000  # the largest page of either machine
_HEADERS = 64 + 2 * 56
_MASK = struct.pack("<Q", 1 << (SIGTERM - 1) | 1 << (SIGINT - 1))
_IGNORE = struct.pack("<4Q", 1, 0, 0, 0)
"""struct sigaction as the kernel has it: SIG_IGN."""
_EXECUTABLE, _WRITABLE, _READABLE = 1, 2, 4


def image(machine: str, *, bound: bool = False) -> bytes:
    """The static ELF executable for `x86_64` or `aarch64`. Raises KeyError for another machine.

    bound: to its creator, with a pipe as stdin that cannot block and whose writer the creator alone has.
    """
    elf_machine, hold, bind = _MACHINES[machine]
    code = b"".join([bind() if bound else b"", hold(), _MASK, _IGNORE])
    size = _HEADERS + len(code)
    return b"".join([_elf_header(elf_machine), *_program_headers(size), code])


def _elf_header(machine: int) -> bytes:
    """elf(5): 64 bits, little endian, executable; the entry is behind the headers."""
    identity = b"\x7fELF" + bytes([2, 1, 1]) + bytes(9)
    return identity + struct.pack("<HHIQQQIHHHHHH", 2, machine, 1, _BASE + _HEADERS, 64, 0, 0, 64, 56, 2, 0, 0, 0)


def _program_headers(size: int) -> tuple[bytes, bytes]:
    """PT_LOAD of the whole file, to read and execute; PT_GNU_STACK, so that the stack is not executable."""
    load = struct.pack("<IIQQQQQQ", 1, _READABLE | _EXECUTABLE, 0, _BASE, _BASE, size, size, _ALIGNMENT)
    stack = struct.pack("<IIQQQQQQ", 0x6474E551, _READABLE | _WRITABLE, 0, 0, 0, 0, 0, 16)
    return load, stack


def _x86_64() -> bytes:
    block = [
        "b8 0e 00 00 00",  # mov eax, 14         rt_sigprocmask(
        "31 ff",  # xor edi, edi                   SIG_BLOCK,
        "48 8d 35 2a 00 00 00",  # lea rsi, [rip + 42]   mask,
        "31 d2",  # xor edx, edx                   NULL,
        "41 ba 08 00 00 00",  # mov r10d, 8         8)
        "0f 05",  # syscall
    ]
    wait = [
        "b8 80 00 00 00",  # mov eax, 128        rt_sigtimedwait(
        "48 8d 3d 14 00 00 00",  # lea rdi, [rip + 20]   mask,
        "31 f6",  # xor esi, esi                   NULL,
        "31 d2",  # xor edx, edx                   NULL, r10 is still 8)
        "0f 05",  # syscall
        "85 c0",  # test eax, eax
        "78 ea",  # js -22                       again if a stop or a freeze interrupted it
    ]
    end = [
        "b8 3c 00 00 00",  # mov eax, 60         exit(
        "31 ff",  # xor edi, edi                   0)
        "0f 05",  # syscall
        "90",  # nop: the mask is aligned
    ]
    return bytes.fromhex(" ".join(block + wait + end))


def _x86_64_bound() -> bytes:
    die = [
        "b8 9d 00 00 00",  # mov eax, 157        prctl(
        "bf 01 00 00 00",  # mov edi, 1            PR_SET_PDEATHSIG,
        "be 09 00 00 00",  # mov esi, 9            SIGKILL)
        "0f 05",  # syscall
    ]
    look = [
        "31 c0",  # xor eax, eax                 read(
        "31 ff",  # xor edi, edi                   0,
        "48 89 e6",  # mov rsi, rsp                the stack,
        "ba 01 00 00 00",  # mov edx, 1            1)
        "0f 05",  # syscall
        "85 c0",  # test eax, eax
        "74 52",  # jz +82                       its end: to the exit
        "b8 03 00 00 00",  # mov eax, 3          close(
        "31 ff",  # xor edi, edi                   0)
        "0f 05",  # syscall
    ]
    reap = [
        "b8 0d 00 00 00",  # mov eax, 13         rt_sigaction(
        "bf 11 00 00 00",  # mov edi, 17           SIGCHLD,
        "48 8d 35 4a 00 00 00",  # lea rsi, [rip + 74]   ignore,
        "31 d2",  # xor edx, edx                   NULL,
        "41 ba 08 00 00 00",  # mov r10d, 8        8)
        "0f 05",  # syscall
    ]
    return bytes.fromhex(" ".join(die + look + reap))


def _aarch64() -> bytes:
    call = 0xD4000001  # svc #0
    block = [
        _movz(8, 135),  # rt_sigprocmask(
        _movz(0, 0),  # SIG_BLOCK,
        _adr(1, 14 * 4),  # mask,
        _movz(2, 0),  # NULL,
        _movz(3, 8),  # 8)
        call,
    ]
    wait = [
        _movz(8, 137),  # rt_sigtimedwait(
        _adr(0, 9 * 4),  # mask,
        _movz(1, 0),  # NULL,
        _movz(2, 0),  # NULL, x3 is still 8)
        call,
        0xB7F80000 | (-5 & 0x3FFF) << 5,  # tbnz x0, #63, -20    again if a stop or a freeze interrupted it
    ]
    end = [
        _movz(8, 93),  # exit(
        _movz(0, 0),  # 0)
        call,
        0xD503201F,  # nop: the mask is aligned
    ]
    return struct.pack(f"<{len(block + wait + end)}I", *block, *wait, *end)


def _aarch64_bound() -> bytes:
    call = 0xD4000001  # svc #0
    die = [
        _movz(8, 167),  # prctl(
        _movz(0, 1),  # PR_SET_PDEATHSIG,
        _movz(1, 9),  # SIGKILL)
        call,
    ]
    look = [
        _movz(8, 63),  # read(
        _movz(0, 0),  # 0,
        0x910003E1,  # mov x1, sp           the stack,
        _movz(2, 1),  # 1)
        call,
        0xB4000000 | 22 << 5,  # cbz x0, +88    its end: to the exit
        _movz(8, 57),  # close(
        _movz(0, 0),  # 0)
        call,
    ]
    reap = [
        _movz(8, 134),  # rt_sigaction(
        _movz(0, 17),  # SIGCHLD,
        _adr(1, 20 * 4 + 8),  # ignore,
        _movz(2, 0),  # NULL,
        _movz(3, 8),  # 8)
        call,
    ]
    return struct.pack(f"<{len(die + look + reap)}I", *die, *look, *reap)


def _movz(register: int, value: int) -> int:
    """movz x<register>, #value"""
    return 0xD2800000 | value << 5 | register


def _adr(register: int, distance: int) -> int:
    """adr x<register>, . + distance; distance is a multiple of four bytes"""
    return 0x10000000 | (distance >> 2) << 5 | register


_MACHINES: Mapping[str, tuple[int, Callable[[], bytes], Callable[[], bytes]]] = {
    "x86_64": (62, _x86_64, _x86_64_bound),
    "aarch64": (183, _aarch64, _aarch64_bound),
}
