"""The plan of a guest in an ordinary container: the annotation, and what the container was given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from wherry.plan import annotation, codec, document
from wherry.plan.annotation import planned
from wherry.plan.model import Mount, RunPlan, WasmFile
from wherry.plan.mountinfo import readonly


def from_container(
    text: str, wasm_path: str, args: Iterable[str], environ: Mapping[str, str], mountinfo: str = ""
) -> RunPlan:
    """text: the annotation's JSON, or a whole RunPlan, of which only the module's path is replaced.

    args: after argv[0]. environ: the process's; only annotated names are taken. mountinfo: /proc/self/mountinfo.
    Raises StartError with the reason `plan`.
    """
    given = document.load(text)
    if isinstance(given, dict) and isinstance(given.get("wasm"), dict):
        whole = document.read(codec.PLAN, given)
        return replace(whole, wasm=WasmFile(wasm_path, whole.wasm.digest))
    known = document.read(annotation.SHAPE, given)
    is_readonly = readonly(mountinfo)
    mounts = [Mount(path, path, readonly=is_readonly(path)) for path in known.mounts]
    env = {name: environ[name] for name in known.env if name in environ}  # an optional source may have given nothing
    return planned(known, wasm_path, args, env, mounts)
