"""A plan's arguments, environment and folders as wasmtime's WASI configuration; nothing else is given."""

from __future__ import annotations

import os
from ctypes import Array, c_char_p
from pathlib import Path

from wherry.engine import capi
from wherry.errors import StartError
from wherry.plan.model import Mount, RunPlan


def new_config(plan: RunPlan) -> int:
    """A wasi_config_t with the plan's argv, env and mounts, without streams. It belongs to the caller.

    Raises StartError: `mount` (no such folder), `plan` (a NUL in an argument or variable).
    """
    config: int = capi.wasi_config_new()
    try:
        _fill(config, plan)
    except StartError:
        capi.wasi_config_delete(config)
        raise
    return config


def _fill(config: int, plan: RunPlan) -> None:
    names, values = _texts([name for name, _ in plan.env]), _texts([value for _, value in plan.env])
    arguments = _texts(plan.argv)
    if not capi.wasi_config_set_argv(config, len(arguments), arguments):
        raise StartError("plan", "an argument is not UTF-8 text")
    if not capi.wasi_config_set_env(config, len(names), names, values):
        raise StartError("plan", "an environment variable is not UTF-8 text")
    for mount in plan.mounts:
        _preopen(config, mount)


def _preopen(config: int, mount: Mount) -> None:
    if not Path(mount.host).is_dir():
        found = "a file" if Path(mount.host).exists() else "nothing"
        raise StartError("mount", f"mount {mount.guest}: {mount.host} is {found}, expected a folder")
    if not capi.wasi_config_preopen_dir(config, os.fsencode(mount.host), mount.guest.encode(), not mount.readonly):
        raise StartError("mount", f"mount {mount.guest}: {mount.host} cannot be opened")


def _texts(texts: list[str] | tuple[str, ...]) -> Array[c_char_p]:
    if nul := next((text for text in texts if "\0" in text), None):
        raise StartError("plan", f"{nul!r} holds a NUL byte, expected text without one")
    return (c_char_p * len(texts))(*(text.encode(errors="surrogateescape") for text in texts))
