"""Five routines in machine code, mapped once into a process and its forks, never writable while they are executable.

`walk` makes a list of C calls. A record of the list is RECORD bytes, eleven words: the function; where its result goes;
a mask and a value; where its seven arguments are. It goes on while `result & mask == value`. `spread` finds texts that
lie one behind the other, and `itself` returns what it is given. Arguments and results are words of 64 bits.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import struct
from collections.abc import Callable, Mapping
from ctypes import c_char_p, c_size_t, c_void_p

RECORD = 88
"""Bytes of a record."""

ARGUMENTS = 7
"""Words that a call may take; a record names a place for each."""

REGION = 24
"""Bytes of a region that `restore` copies: its first byte's address, its end, and a word that does not matter."""

Routines = tuple[bytes, bytes, bytes, bytes, bytes]
"""`walk`, `spread`, `itself`, `restore` and `extent`, each position-independent."""


def _x86_64() -> Routines:
    """System V AMD64 ABI: six arguments in registers, the seventh on the stack, which is aligned to 16 at a call."""
    itself = "48 89 f8 c3"  # mov rax, rdi; ret
    walk, spread, same, copy, tell = map(
        bytes.fromhex, (_X86_64_WALK, _X86_64_SPREAD, itself, _X86_64_RESTORE, _X86_64_EXTENT)
    )
    return walk, spread, same, copy, tell


_X86_64_WALK = " ".join(
    (
        "53 41 54",  # push rbx; push r12
        "48 83 ec 18",  # sub rsp, 24
        "48 89 fb 49 89 f4",  # mov rbx, rdi; mov r12, rsi               rbx: the record
        "4c 39 e3",  # cmp rbx, r12                                 next:
        "74 4e",  # je end
        "48 8b 43 50 48 8b 00 48 89 04 24",  # mov rax, [rbx + 80]; mov rax, [rax]; mov [rsp], rax
        "48 8b 7b 20 48 8b 3f",  # mov rdi, [rbx + 32]; mov rdi, [rdi]
        "48 8b 73 28 48 8b 36",  # mov rsi, [rbx + 40]; mov rsi, [rsi]
        "48 8b 53 30 48 8b 12",  # mov rdx, [rbx + 48]; mov rdx, [rdx]
        "48 8b 4b 38 48 8b 09",  # mov rcx, [rbx + 56]; mov rcx, [rcx]
        "4c 8b 43 40 4d 8b 00",  # mov r8, [rbx + 64]; mov r8, [r8]
        "4c 8b 4b 48 4d 8b 09",  # mov r9, [rbx + 72]; mov r9, [r9]
        "ff 13",  # call [rbx]
        "48 8b 4b 08 48 89 01",  # mov rcx, [rbx + 8]; mov [rcx], rax
        "48 23 43 10 48 3b 43 18",  # and rax, [rbx + 16]; cmp rax, [rbx + 24]
        "75 06",  # jne end
        "48 83 c3 58",  # add rbx, 88
        "eb ad",  # jmp next
        "48 89 d8",  # mov rax, rbx                                 end:
        "48 83 c4 18",  # add rsp, 24
        "41 5c 5b c3",  # pop r12; pop rbx; ret
    )
)
_X86_64_SPREAD = " ".join(
    (
        "48 85 d2",  # test rdx, rdx
        "74 15",  # jz end
        "48 89 3e 48 83 c6 08",  # mov [rsi], rdi; add rsi, 8               next:
        "80 3f 00 48 8d 7f 01",  # cmp byte [rdi], 0; lea rdi, [rdi + 1]    scan:
        "75 f7",  # jne scan
        "48 ff ca",  # dec rdx
        "75 eb",  # jnz next
        "c3",  # ret                                                end:
    )
)
_X86_64_RESTORE = " ".join(
    (
        "48 85 f6",  # test rsi, rsi
        "74 1f",  # jz end
        "49 89 f0 49 89 f9",  # mov r8, rsi; mov r9, rdi                      r9: the region
        "49 8b 39",  # mov rdi, [r9]                                next:
        "49 8b 49 08 48 29 f9",  # mov rcx, [r9 + 8]; sub rcx, rdi
        "48 8d 34 17",  # lea rsi, [rdi + rdx]
        "f3 a4",  # rep movsb
        "49 83 c1 18",  # add r9, 24
        "49 ff c8",  # dec r8
        "75 e7",  # jnz next
        "c3",  # ret                                                end:
    )
)
_X86_64_EXTENT = " ".join(
    (
        "48 8b 4f 08 48 89 0e",  # mov rcx, [rdi + 8]; mov [rsi], rcx
        "48 8b 4f 10 48 89 0a",  # mov rcx, [rdi + 16]; mov [rdx], rcx
        "48 8b 07",  # mov rax, [rdi]
        "c3",  # ret
    )
)


def _aarch64() -> Routines:
    """Procedure call standard for AArch64: seven arguments in x0 to x6; x19, x20 and x29 are the caller's."""
    itself = (_AARCH64_RETURN,)  # x0 is argument and result
    walk, spread, same, copy, tell = map(
        _words, (_AARCH64_WALK, _AARCH64_SPREAD, itself, _AARCH64_RESTORE, _AARCH64_EXTENT)
    )
    return walk, spread, same, copy, tell


def _words(code: tuple[int, ...]) -> bytes:
    return struct.pack(f"<{len(code)}I", *code)


_AARCH64_RETURN = 0xD65F03C0
_AARCH64_WALK = (
    0xA9BE7BFD,  # stp x29, x30, [sp, #-32]!
    0x910003FD,  # mov x29, sp
    0xA90153F3,  # stp x19, x20, [sp, #16]
    0xAA0003F3,  # mov x19, x0            x19: the record
    0xAA0103F4,  # mov x20, x1
    0xEB14027F,  # cmp x19, x20           next:
    0x540002C0,  # b.eq end
    0xF9400270,  # ldr x16, [x19]
    0xA9420660,  # ldp x0, x1, [x19, #32]
    0xA9430E62,  # ldp x2, x3, [x19, #48]
    0xA9441664,  # ldp x4, x5, [x19, #64]
    0xF9402A66,  # ldr x6, [x19, #80]
    *(0xF9400000 | register << 5 | register for register in range(ARGUMENTS)),  # ldr x0, [x0] … ldr x6, [x6]
    0xD63F0200,  # blr x16
    0xA9408A61,  # ldp x1, x2, [x19, #8]
    0xF9400E63,  # ldr x3, [x19, #24]
    0xF9000020,  # str x0, [x1]
    0x8A020000,  # and x0, x0, x2
    0xEB03001F,  # cmp x0, x3
    0x54000061,  # b.ne end
    0x91016273,  # add x19, x19, #88
    0x17FFFFEA,  # b next
    0xAA1303E0,  # mov x0, x19            end:
    0xA94153F3,  # ldp x19, x20, [sp, #16]
    0xA8C27BFD,  # ldp x29, x30, [sp], #32
    _AARCH64_RETURN,
)
_AARCH64_SPREAD = (
    0xB40000C2,  # cbz x2, end
    0xF8008420,  # str x0, [x1], #8       next:
    0x38401403,  # ldrb w3, [x0], #1      scan:
    0x35FFFFE3,  # cbnz w3, scan
    0xF1000442,  # subs x2, x2, #1
    0x54FFFF81,  # b.ne next
    _AARCH64_RETURN,  #                   end:
)
_AARCH64_RESTORE = (
    0xB4000121,  # cbz x1, end
    0xA8C19003,  # ldp x3, x4, [x0], #24  next:
    0x8B020065,  # add x5, x3, x2
    0xA8C11CA6,  # ldp x6, x7, [x5], #16  copy:
    0xA8811C66,  # stp x6, x7, [x3], #16
    0xEB04007F,  # cmp x3, x4
    0x54FFFFA1,  # b.ne copy
    0xF1000421,  # subs x1, x1, #1
    0x54FFFF21,  # b.ne next
    _AARCH64_RETURN,  #                   end:
)
_AARCH64_EXTENT = (
    0xA9409003,  # ldp x3, x4, [x0, #8]
    0xF9000023,  # str x3, [x1]
    0xF9000044,  # str x4, [x2]
    0xF9400000,  # ldr x0, [x0]
    _AARCH64_RETURN,
)

MACHINES: Mapping[str, Callable[[], Routines]] = {"x86_64": _x86_64, "aarch64": _aarch64}


def mapped(code: bytes) -> int:
    """The address of executable memory with this code, for as long as the process lives. OSError where it is refused.

    It is written before it may be executed and never after; the kernel makes its caches agree when it changes that.
    """
    memory = mmap.mmap(-1, mmap.PAGESIZE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, mmap.PROT_READ | mmap.PROT_WRITE)
    memory.write(code)
    view = ctypes.c_char.from_buffer(memory)
    _forever.append(view)
    address = ctypes.addressof(view)
    if _mprotect(address, mmap.PAGESIZE, mmap.PROT_READ | mmap.PROT_EXEC):
        error = ctypes.get_errno()
        raise OSError(error, f"memory for the engine's own code: {os.strerror(error)}")
    return address


_mprotect = ctypes.CDLL(None, use_errno=True).mprotect
_mprotect.argtypes = c_size_t, c_size_t, ctypes.c_int
_forever: list[object] = []

_codes = MACHINES[os.uname().machine]()
_at = mapped(b"".join(_codes))
_walk, _spread, _itself, _restore, _extent = (_at + sum(map(len, _codes[:index])) for index in range(len(_codes)))

walk = ctypes.CFUNCTYPE(c_size_t, c_size_t, c_size_t)(_walk)
"""(first, end): make the calls of these records. Where it stopped, else `end`. Without the interpreter's lock."""

spread = ctypes.CFUNCTYPE(None, c_char_p, c_void_p, c_size_t)(_spread)
"""(text, places, count): put the addresses of `count` texts, each with its NUL, one behind the other, into places."""

itself = ctypes.CFUNCTYPE(c_void_p, c_void_p)(_itself)
"""Its argument: a list ends when it is not NULL, or something becomes NULL."""

restore = ctypes.CFUNCTYPE(None, c_void_p, c_size_t, c_size_t)(_restore)
"""(regions, count, distance): copy every byte of `count` regions, which are whole pages, from `distance` further on."""

extent = ctypes.CFUNCTYPE(c_void_p, c_void_p, c_void_p, c_void_p)(_extent)
"""(memory, size, most): the first word of three; the second goes to size, the third to most."""
