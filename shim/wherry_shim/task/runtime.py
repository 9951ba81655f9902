"""runc, or a program that takes its arguments, as this host calls it: one short process for each call."""

from __future__ import annotations

import itertools
import json
import os
import signal
from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from google.protobuf.any_pb2 import Any
from google.protobuf.message import DecodeError

from wherry.errors import StartError
from wherry_shim.proto.runc_options_pb2 import Options
from wherry_shim.proto.typeurl import holds, unpacked
from wherry_shim.reaper import Reaper

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_LOG_TAIL = 1 << 12
_NUMBERS = itertools.count()


@dataclass(frozen=True, slots=True)
class Runtime:
    """program: its name or path. root: where it keeps its state. systemd: who keeps its cgroups.

    creating: further arguments of `create`.
    """

    program: str
    root: Path
    systemd: bool = False
    creating: tuple[str, ...] = ()

    def run(self, *words: str, folder: Path, reaper: Reaper, streams: tuple[int, ...] = ()) -> Awaitable[None]:
        """Begin one call, to be awaited. folder: for its log. streams: its stdin, stdout and stderr.

        Raises StartError at once when there is no such program, else in the end, with its last words.
        """
        log = folder / f"runtime-{next(_NUMBERS)}.log"
        options = ["--root", str(self.root), "--log", str(log), "--log-format", "json"]
        options += ["--systemd-cgroup"] if self.systemd else []
        ended = reaper.watch(self._spawned([*options, *words], streams))
        return self._succeeded(words[0], ended, log)

    async def _succeeded(self, verb: str, ended: Awaitable[int], log: Path) -> None:
        status = await ended
        said = _last_words(log) or f"ended with status {status}"
        if status:
            raise StartError("instantiate", f"{os.path.basename(self.program)} {verb}: {said}")

    def _spawned(self, arguments: list[str], streams: tuple[int, ...]) -> int:
        actions = [(os.POSIX_SPAWN_DUP2, each, number) for number, each in enumerate(streams)]
        try:
            return os.posix_spawnp(
                self.program,
                [self.program, *arguments],
                {"PATH": _PATH},
                file_actions=actions,
                setsigdef=[signal.SIGPIPE],
            )
        except OSError as fault:
            cure = "install runc, or name another program in WHERRY_RUNC"
            raise StartError("instantiate", f"{self.program}: {fault.strerror}", cure=cure) from fault


def configured(default: Runtime, namespace: str, options: Any) -> Runtime:
    """The default as CreateTaskRequest's options change it; its root has a folder for each namespace.

    Raises StartError for options of another type than containerd's own shim takes.
    """
    if not options.value:  # containerd 1.6 sends an empty message of another type
        return Runtime(default.program, default.root / namespace, default.systemd)
    wanted = Options.DESCRIPTOR.full_name
    if not holds(options, Options):
        cure = "remove the runtime's options from containerd's configuration"
        raise StartError("plan", f"runtime options: got {options.type_url!r}, expected {wanted!r} or none", cure=cure)
    try:
        given = unpacked(options, Options)
    except DecodeError as fault:
        raise StartError("plan", f"runtime options: {fault}, expected {wanted!r}") from fault
    root = Path(given.root) if given.root else default.root
    flags = {"--no-pivot": given.no_pivot_root, "--no-new-keyring": given.no_new_keyring}
    return Runtime(
        given.binary_name or default.program,
        root / namespace,
        default.systemd or given.systemd_cgroup,
        tuple(flag for flag, wanted in flags.items() if wanted),
    )


def _last_words(log: Path) -> str:
    """The last error that it wrote; the log is removed."""
    with suppress(OSError, ValueError, IndexError, KeyError, TypeError):
        written = log.read_bytes()[-_LOG_TAIL:]
        log.unlink()
        return str(json.loads(written.splitlines()[-1])["msg"])
    return ""
