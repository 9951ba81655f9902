"""What this host runs, decided from names before anything is compiled.

WASI 0.3 ends here, and only here. To run it, a later issue lets it through, adds an adapter to `config.Adapter`
(composed in `compile.compiled`, like that of 0.2), switches concurrency support on for it in `config`, and calls the
guest by `wasmtime_component_func_call_async` and `wasmtime_call_future_poll` beside the synchronous call in `guest.py`;
linker, store and host functions stay.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from wherry.engine.config import Adapter
from wherry.errors import StartError
from wherry.plan.model import Run
from wherry.wasm.module import Inspection

# fmt: off
PREVIEW1_FUNCTIONS = frozenset((
    "args_get", "args_sizes_get", "clock_res_get", "clock_time_get", "environ_get", "environ_sizes_get", "fd_advise",
    "fd_allocate", "fd_close", "fd_datasync", "fd_fdstat_get", "fd_fdstat_set_flags", "fd_fdstat_set_rights",
    "fd_filestat_get", "fd_filestat_set_size", "fd_filestat_set_times", "fd_pread", "fd_prestat_dir_name",
    "fd_prestat_get", "fd_pwrite", "fd_read", "fd_readdir", "fd_renumber", "fd_seek", "fd_sync", "fd_tell",
    "fd_write", "path_create_directory", "path_filestat_get", "path_filestat_set_times", "path_link", "path_open",
    "path_readlink", "path_remove_directory", "path_rename", "path_symlink", "path_unlink_file", "poll_oneoff",
    "proc_exit", "proc_raise", "random_get", "sched_yield", "sock_accept", "sock_recv", "sock_send", "sock_shutdown",
))
# fmt: on
"""Of `wasi_snapshot_preview1`. Sockets are there and always refused: no socket is ever given to a guest."""

_COMPONENT_IMPORT = re.compile(r"wasi:(cli|clocks|filesystem|http|io|random|sockets)/[a-z-]+@0\.2\.\d+")
"""Sockets are linked, since toolchains import them unasked; every use is answered `access-denied`."""

_OUTGOING = re.compile(r"wasi:http/outgoing-handler@")

_ENTRIES = {
    ("module", "command"): re.compile(r"_start"),
    ("module", "http"): re.compile(r"_start"),
    ("component", "command"): re.compile(r"wasi:cli/run@0\.2\.\d+"),
    ("component", "http"): re.compile(r"wasi:http/incoming-handler@0\.2\.\d+"),
}


def admit(inspection: Inspection, run: Run, name: str) -> str:
    """The export by which the guest is entered. Raises StartError `unsupported` or `missing-import`, in its terms."""
    if inspection.wasi == "0.3":
        raise _newer(inspection, name)
    entry = _entry(inspection, run, name)
    if lacking := missing(inspection):
        raise StartError(
            "missing-import",
            f"{name} imports what this host does not have: {', '.join(lacking)}",
            cure="build it for wasi_snapshot_preview1 or for wasi:cli and wasi:http 0.2, without other imports",
        )
    return entry


def missing(inspection: Inspection) -> tuple[str, ...]:
    """The imports that no part of this host provides, in the binary's order."""
    if inspection.kind == "component":
        return tuple(name for name in inspection.imports if not _COMPONENT_IMPORT.fullmatch(name))
    given = {f"wasi_snapshot_preview1.{name}" for name in PREVIEW1_FUNCTIONS}
    return tuple(name for name in inspection.imports if name not in given)


def adapter_of(inspection: Inspection, run: Run, outbound: Sequence[str]) -> Adapter:
    """The adapter that a guest is composed with; modules need none. outbound: the plan's; without one, the guest is
    not even given the host's HTTP client.
    """
    if inspection.kind == "module":
        return "none"
    if not outbound or not any(map(_OUTGOING.match, inspection.imports)):
        return run
    return "http-outbound" if run == "http" else "command-outbound"


def _entry(inspection: Inspection, run: Run, name: str) -> str:
    pattern = _ENTRIES[inspection.kind, run]
    for export in inspection.exports:
        if pattern.fullmatch(export):
            return export
    wanted = {"http": "wasi:http/incoming-handler or _start", "command": "wasi:cli/run or _start"}[run]
    found = ", ".join(inspection.exports) or "nothing"
    cure = f"set run: {inspection.run}" if inspection.run else "build it as a program, not as a library"
    raise StartError("unsupported", f"{name} cannot run as {run}: it exports {found}, expected {wanted}", cure=cure)


def _newer(inspection: Inspection, name: str) -> StartError:
    marks = [export for export in inspection.exports if "@0.3." in export]
    why = f"it exports {marks[0]}" if marks else "its imports are of WASI 0.3"
    return StartError(
        "unsupported",
        f"{name} is a WASI 0.3 component ({why}), expected a WASI 0.2 component or a preview 1 module",
        cure="rebuild it for WASI 0.2",
    )
