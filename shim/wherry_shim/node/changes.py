"""Files of the node that were changed, and what they were before: every byte, mode, owner and time of them.

The record is written before the first change, so that whoever comes after a crash can still undo it. A file that
somebody else changed since is not put back: what is ours is cut out of it, and the rest stays.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from wherry_shim.node.fault import NodeError
from wherry_shim.node.host import Host

Cut = Callable[[str], str]
"""Takes our part out of a text that others changed as well."""


@dataclass(frozen=True)
class FileState:
    """A regular file as it is. content: in base64. times: access and modification, in ns. labels: xattrs in base64."""

    content: str
    mode: int
    owner: tuple[int, int]
    times: tuple[int, int]
    labels: dict[str, str]

    @property
    def data(self) -> bytes:
        return base64.b64decode(self.content)


@dataclass(frozen=True)
class Entry:
    """before: None when there was no file. written: sha256 of what we wrote. folders: that we made, deepest last."""

    before: FileState | None
    written: str
    folders: list[str]


class Changes:
    """record: a path of the node where entries are kept, by path. Not safe for several processes at once."""

    def __init__(self, host: Host, record: str) -> None:
        self._host = host
        self._record = record

    def paths(self) -> list[str]:
        """Every file that is changed now."""
        return list(self._entries())

    def unchanged_by_others(self, path: str) -> bool:
        """Whether the file holds what we wrote last."""
        entry = self._entries().get(path)
        return entry is not None and _digest(self._content(path)) == entry.written

    def write(self, path: str, text: str, cut: Cut, mode: int = 0o644) -> None:
        """Make the file say this. What it was is remembered, unless it holds what we wrote before."""
        data, entries = text.encode(), self._entries()
        if self._content(path) == data:
            return
        known = entries.get(path)
        folders = known.folders if known else _missing_folders(self._host, path)
        before = known.before if known and self.unchanged_by_others(path) else self._original(path, cut, known)
        entries[path] = Entry(before, _digest(data), folders)
        self._keep(entries)
        file = self._host.at(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        _replace(file, data, _state(file) or FileState("", mode, (0, 0), (0, 0), {}), keep_times=False)

    def adopt(self, path: str, cut: Cut) -> None:
        """The file says what it is to say, and no record tells since when: it was what is left of it without us.

        A file that is nothing without us was not there.
        """
        entries, state = self._entries(), _state(self._host.at(path))
        if state is None or path in entries:
            return
        rest = cut(state.data.decode())
        before = FileState(**{**asdict(state), "content": _text(rest.encode())}) if rest else None
        entries[path] = Entry(before, _digest(state.data), [])
        self._keep(entries)

    def undo(self, path: str, cut: Cut) -> None:
        """Put one file back, or cut our part out of it when it was changed since."""
        entries = self._entries()
        if (entry := entries.pop(path, None)) is None:
            return
        file = self._host.at(path)
        if _digest(self._content(path)) == entry.written:
            _put(file, entry.before)
        elif (state := _state(file)) is not None:
            _replace(file, cut(state.data.decode()).encode(), state, keep_times=False)
        _remove_empty(self._host, entry.folders)
        self._keep(entries)

    def _original(self, path: str, cut: Cut, known: Entry | None) -> FileState | None:
        state = _state(self._host.at(path))
        if state is None or known is None:
            return state
        return FileState(**{**asdict(state), "content": _text(cut(state.data.decode()).encode())})

    def _content(self, path: str) -> bytes | None:
        state = _state(self._host.at(path))
        return None if state is None else state.data

    def _entries(self) -> dict[str, Entry]:
        try:
            fields = json.loads(self._host.at(self._record).read_text())
            return {path: _entry(entry) for path, entry in fields.items()}
        except FileNotFoundError:
            return {}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            cure = f"put the files that it names back by hand, and remove {self._record}"
            raise NodeError(f"{self._record} cannot be read: {error!r}", cure=cure) from None

    def _keep(self, entries: dict[str, Entry]) -> None:
        file = self._host.at(self._record)
        if not entries:
            file.unlink(missing_ok=True)
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        data = json.dumps({path: asdict(entry) for path, entry in entries.items()}, indent=1).encode()
        _replace(file, data, FileState("", 0o600, (0, 0), (0, 0), {}), keep_times=False)


class Moment:
    """Some files as they are now, so that a change that failed half way can be taken back whole."""

    def __init__(self, host: Host, paths: list[str]) -> None:
        self._host = host
        self._files = {path: _state(host.at(path)) for path in paths}
        self._missing = {path: _missing_folders(host, path) for path in paths}

    def restore(self) -> None:
        """Put them all back."""
        for path, state in self._files.items():
            if _state(file := self._host.at(path)) != state:
                _put(file, state)
            _remove_empty(self._host, self._missing[path])


def _missing_folders(host: Host, path: str) -> list[str]:
    parents = [str(parent) for parent in reversed(Path(path).parents)]
    return [parent for parent in parents if not host.has(parent)]


def _remove_empty(host: Host, folders: list[str]) -> None:
    for folder in reversed(folders):
        with contextlib.suppress(OSError):  # somebody else's files are in it
            host.at(folder).rmdir()


def _entry(fields: dict[str, object]) -> Entry:
    before, folders = fields["before"], fields["folders"]
    assert isinstance(folders, list)  # noqa: S101  we wrote it
    return Entry(_file_state(before) if isinstance(before, dict) else None, str(fields["written"]), folders)


def _file_state(fields: dict[str, object]) -> FileState:
    owner, times = (tuple(value) for value in (fields["owner"], fields["times"]) if isinstance(value, list))
    labels = fields["labels"]
    assert isinstance(labels, dict)  # noqa: S101  we wrote it
    return FileState(str(fields["content"]), int(str(fields["mode"])), owner, times, labels)


def _state(file: Path) -> FileState | None:
    try:
        found, data = file.stat(), file.read_bytes()
    except FileNotFoundError:
        return None
    owner, times = (found.st_uid, found.st_gid), (found.st_atime_ns, found.st_mtime_ns)
    return FileState(_text(data), found.st_mode & 0o7777, owner, times, _labels(file))


def _labels(file: Path) -> dict[str, str]:
    try:
        return {name: _text(os.getxattr(file, name)) for name in os.listxattr(file)}
    except OSError:  # a file system without them
        return {}


def _put(file: Path, state: FileState | None) -> None:
    if state is None:
        file.unlink(missing_ok=True)
    else:
        _replace(file, state.data, state, keep_times=True)


def _replace(file: Path, data: bytes, like: FileState, *, keep_times: bool) -> None:
    """Whole or not at all: containerd may start at any moment."""
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    with open(descriptor, "wb") as new:
        new.write(data)
        os.fchown(descriptor, *like.owner)
        os.fchmod(descriptor, like.mode)
        for label, value in like.labels.items():
            with contextlib.suppress(OSError):
                os.setxattr(descriptor, label, base64.b64decode(value))
        os.fsync(descriptor)
    if keep_times:
        os.utime(name, ns=like.times)
    Path(name).replace(file)


def _digest(data: bytes | None) -> str:
    return "" if data is None else hashlib.sha256(data).hexdigest()


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
