"""A Wasm file inside a container's root filesystem: opened without leaving it, and run from a copy of our own.

The container can change its own files while it runs; what was hashed must not change.
"""

from __future__ import annotations

import ctypes
import errno
import hashlib
import os
import posixpath
import shutil
import struct
from pathlib import Path
from typing import BinaryIO

from wherry.errors import ArtifactError, InputError
from wherry.oci.cache import BlobCache
from wherry.oci.descriptor import Descriptor
from wherry.plan.bundle import Bundle
from wherry.plan.model import WasmFile
from wherry_shim.artifact.plain_file import plain_file

_OPENAT2 = 437  # on x86_64 and aarch64 alike
_RESOLVE_NO_MAGICLINKS = 0x02
_RESOLVE_IN_ROOT = 0x10
_HOW = struct.pack("QQQ", os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK, 0, _RESOLVE_IN_ROOT | _RESOLVE_NO_MAGICLINKS)
_UNKNOWN = {errno.ENOSYS, errno.EPERM}
"""A kernel before 5.6, or a filter that does not know the call."""
_PIECE = 1 << 20

_syscall = ctypes.CDLL(None, use_errno=True).syscall


def kept(rootfs: Path, bundle: Bundle, cache: Path, limit: int) -> WasmFile:
    """A copy, by digest, of the file that the container's command names. Raises ArtifactError."""
    program = posixpath.normpath(posixpath.join(bundle.cwd, bundle.program))
    if not program.endswith(".wasm"):
        raise ArtifactError(
            f"container {bundle.name}: got an ordinary image and the command {bundle.program[:80]!r}, expected a .wasm",
            cure="let `command` name the .wasm, or `wherry push` it",
        )
    with _opened(rootfs, program, limit) as file:
        digest = f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"  # type: ignore[arg-type]
        size = file.tell()
        return WasmFile(str(_copied(file, Descriptor("", digest, size), cache, program)), digest)


def _copied(file: BinaryIO, descriptor: Descriptor, cache: Path, program: str) -> Path:
    def fill(into: BinaryIO) -> None:
        file.seek(0)
        shutil.copyfileobj(file, into, _PIECE)
        into.seek(0)
        found = hashlib.file_digest(into, "sha256").hexdigest()  # type: ignore[arg-type]
        if f"sha256:{found}" != descriptor.digest:
            raise ArtifactError(f"{program}: the file changed while it was read")

    try:
        return BlobCache(cache).fetch(descriptor, fill)
    except InputError as error:
        raise ArtifactError(error.message, cure="free some space on the node") from None


def _opened(rootfs: Path, program: str, limit: int) -> BinaryIO:
    try:
        return plain_file(open_inside(rootfs, program), limit)
    except OSError as error:
        raise ArtifactError(
            f"{program} in the container's image: {error.strerror}, expected a .wasm file", cure="correct `command`"
        ) from None


def open_inside(root: Path, path: str) -> int:
    """Open for reading; links are followed, but never out of root. Raises OSError."""
    folder = os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        return _openat2(folder, path)
    except OSError as error:
        if error.errno not in _UNKNOWN:
            raise
        return walk(folder, path)
    finally:
        os.close(folder)


def _openat2(folder: int, path: str) -> int:
    """openat2(2), RESOLVE_IN_ROOT: the folder is `/` and the top of every `..`."""
    for _ in range(8):  # EAGAIN: something was renamed meanwhile
        descriptor: int = _syscall(_OPENAT2, folder, os.fsencode(path), _HOW, len(_HOW))
        if descriptor >= 0:
            return descriptor
        if ctypes.get_errno() != errno.EAGAIN:
            break
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def walk(folder: int, path: str) -> int:
    """The same by older means: one part at a time, and no link at all. folder stays open."""
    *above, last = [part for part in path.split("/") if part not in {"", "."}] or ["."]
    here = os.dup(folder)
    try:
        for part in above:
            below = _step(here, part, os.O_PATH | os.O_DIRECTORY)
            os.close(here)
            here = below
        return _step(here, last, os.O_RDONLY | os.O_NONBLOCK)
    finally:
        os.close(here)


def _step(folder: int, part: str, flags: int) -> int:
    if part == "..":
        raise OSError(errno.ELOOP, "the path leads upwards")
    return os.open(part, flags | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
