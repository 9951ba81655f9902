"""Naming what was given instead of WebAssembly, so that the error can say the cure."""

from __future__ import annotations

import re

from wherry.errors import InvalidModule

_TEXT = re.compile(rb"(?:\s|;;[^\n]*(?:\n|\Z)|\(;.*?;\))*\((?:module|component)\b", re.DOTALL)
_SIGNATURES: tuple[tuple[bytes, str, str], ...] = (
    (b"\x7fELF", "a native or precompiled (ELF) file", "push the .wasm itself; each host compiles it for its own CPU"),
    (b"\x1f\x8b", "a gzip archive", "unpack it and use the .wasm inside"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive", "unpack it and use the .wasm inside"),
    (b"PK\x03\x04", "a zip archive", "unpack it and use the .wasm inside"),
    (b"BC\xc0\xde", "LLVM bitcode", "link it with the WASI target of your toolchain"),
    (b"!<arch>\n", "a static library", "link it into a WASI program"),
    (b"MZ", "a Windows program", "build it for a WASI target"),
    (b"#!", "a script", "build it into a WASI program"),
    (b"<", "HTML or XML, perhaps an error page", "download the file again and look at it"),
)


def foreign(head: bytes) -> InvalidModule:
    """The error for bytes that do not begin as WebAssembly; head is the beginning, up to 4 KiB."""
    what, cure = _recognise(head)
    return InvalidModule(f"not WebAssembly: got {what}, expected a module or component (\\0asm)", cure=cure)


def _recognise(head: bytes) -> tuple[str, str]:
    if not head:
        return "an empty file", "check the build that wrote it"
    if _TEXT.match(head):
        return "the text format", "convert it with `wasm-tools parse FILE.wat -o FILE.wasm`"
    for signature, what, cure in _SIGNATURES:
        if head.startswith(signature):
            return what, cure
    return f"bytes that begin {head[:8].hex(' ')}", "give the .wasm that your toolchain wrote"
