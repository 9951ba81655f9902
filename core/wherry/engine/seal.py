"""Trust in compiled code: loading it is running it, so an entry of the cache counts only if this machine made it.

A seal stands beside each entry: the code's SHA-256 and its file's identity (device, inode, size, mtime, ctime), under a
MAC by a key that never leaves this machine. While the identity is as sealed the code is not read again: nobody can
write to a file and keep its ctime. Otherwise (a copied or restored cache) all of it is hashed, 0.5 ms for each MB.
Files that are not ours to put seals beside are sealed in a folder of their own.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

KEY_SIZE = 32

Identity = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Sealer:
    """key: from `machine_key`. A seal made for one context says nothing in another. seals: the folder of the seals;
    None has each beside its file.
    """

    key: bytes
    seals: Path | None = None

    def seal(self, code: Path, context: str) -> None:
        """Vouch for the file as it is now; it must not be renamed afterwards, which changes its ctime."""
        self.vouch(code, context, *fingerprint(code))

    def vouch(self, code: Path, context: str, content: str, identity: Identity) -> None:
        """Seal what `fingerprint` found, after it was judged."""
        record = {"content": content, "identity": identity, "mac": self._mac(context, content, identity)}
        replace(self._seal_of(code), json.dumps(record).encode(), 0o600)

    def trusts(self, code: Path, context: str) -> bool:
        """Whether the file is what was sealed here for this context. False for anything missing, damaged or foreign."""
        try:
            record = json.loads(self._seal_of(code).read_bytes())
            content, identity, mac = record["content"], tuple(record["identity"]), record["mac"]
            if not hmac.compare_digest(mac, self._mac(context, content, identity)):
                return False
            return self._unchanged(code, context, content, identity)
        except (OSError, ValueError, KeyError, TypeError):
            return False

    def _unchanged(self, code: Path, context: str, content: str, identity: Identity) -> bool:
        with code.open("rb") as file:
            now = _identity(file.fileno())
            if now == identity:
                return True
            if hashlib.file_digest(file, "sha256").hexdigest() != content:
                return False
        self.vouch(code, context, content, now)
        return True

    def _seal_of(self, code: Path) -> Path:
        return self.seals / f"{code.name}.seal" if self.seals else code.with_suffix(".seal")

    def _mac(self, context: str, content: str, identity: Identity) -> str:
        return hmac.digest(self.key, json.dumps([context, content, *identity]).encode(), "sha256").hex()


def fingerprint(path: Path) -> tuple[str, Identity]:
    """The SHA-256 of a file in hex, and which file that was. Raises OSError."""
    with path.open("rb") as file:
        identity = _identity(file.fileno())  # first: a change while it is read must not be sealed
        return hashlib.file_digest(file, "sha256").hexdigest(), identity


def machine_key(path: Path) -> bytes:
    """The key in this file, made on first use. A key that others may read is worth nothing and is replaced."""
    try:
        return _read_key(path)
    except (OSError, ValueError):
        with locked(path):
            return _made_key(path)


def _made_key(path: Path) -> bytes:
    try:
        return _read_key(path)  # another process was quicker: its key counts
    except (OSError, ValueError):
        replace(path, secrets.token_bytes(KEY_SIZE), 0o600)
        return _read_key(path)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold `path`'s lock, a file beside it, against every other process of this machine."""
    with path.with_suffix(".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def replace(path: Path, content: bytes, mode: int) -> None:
    """Write the file whole or not at all."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            os.fchmod(descriptor, mode)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise


def _read_key(path: Path) -> bytes:
    with path.open("rb") as file:
        status = os.fstat(file.fileno())
        key = file.read(KEY_SIZE + 1)
    if status.st_uid != os.geteuid() or status.st_mode & 0o077 or len(key) != KEY_SIZE:
        raise ValueError(f"{path} is not a key of ours alone")
    return key


def _identity(descriptor: int) -> Identity:
    status = os.fstat(descriptor)
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
