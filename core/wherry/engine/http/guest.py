"""From a plan to a guest that workers can be forked around: admitted, compiled, loaded, linked."""

from __future__ import annotations

import mmap
import os
from dataclasses import dataclass
from pathlib import Path

from wherry.engine import capi
from wherry.engine.admit import adapter_of, admit
from wherry.engine.code import compiled
from wherry.engine.code import load as load_code
from wherry.engine.command import inspected
from wherry.engine.config import Build, Pooling, keep_resident, new_engine
from wherry.engine.host import Host
from wherry.engine.http.component import ComponentGuest
from wherry.engine.http.module import ModuleGuest
from wherry.engine.http.prefault import Prefault
from wherry.engine.http.store import Grants
from wherry.engine.http.worker import Guest
from wherry.engine.wasi import new_config
from wherry.plan.model import RunPlan
from wherry.wasm.memory import largest_memory
from wherry.wasm.module import Inspection


@dataclass(frozen=True, slots=True)
class Prepared:
    """Checked and compiled, but not loaded. memory: bytes of its largest memory at its start."""

    plan: RunPlan
    inspection: Inspection
    build: Build
    code: Path
    memory: int


def prepare(plan: RunPlan, host: Host) -> Prepared:
    """Compile if need be. Raises StartError."""
    capi.wasi_config_delete(new_config(plan))  # its errors are better told now than at the first request
    inspection = inspected(plan.wasm)
    admit(inspection, "http", plan.wasm.path)
    build = Build(adapter=adapter_of(inspection, "http", plan.outbound), fuel=plan.limits.fuel is not None)
    code = compiled(plan.wasm, build, host.cache, host.report)
    return Prepared(plan, inspection, build, code, _memory(plan.wasm.path))


def _memory(wasm: str) -> int:
    with open(wasm, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return largest_memory(data)


def load(prepared: Prepared, host: Host, concurrency: int, port: int) -> Guest:
    """A guest whose engine has room for `concurrency` instances in each worker. Raises StartError.

    Nothing here starts a thread: the caller may fork afterwards.
    """
    plan = prepared.plan
    # One that is kept may wait for its pipe's turn while another takes its place.
    instances = concurrency + (host.reuse > 1)
    pooling = Pooling(instances, plan.limits.memory, keep_resident(prepared.memory))
    engine = new_engine(prepared.build, pooling)
    code = load_code(engine, prepared.code, prepared.inspection.kind)
    grants, prefault = _grants(plan, engine.pointer), Prefault(code.path, prepared.memory)
    if prepared.inspection.kind == "module":
        return ModuleGuest(engine, code, grants, prefault, port)
    outbound = prepared.build.adapter.endswith("outbound")
    authority = f"{host.address}:{port}"
    return ComponentGuest(engine, code, grants, prefault, authority, outbound=outbound, reuse=host.reuse)


def _grants(plan: RunPlan, engine: int) -> Grants:
    return Grants(
        engine,
        argv=tuple(map(os.fsencode, plan.argv)),
        env=tuple((os.fsencode(name), os.fsencode(value)) for name, value in plan.env),
        mounts=tuple((os.fsencode(mount.host), mount.guest.encode(), not mount.readonly) for mount in plan.mounts),
        limits=plan.limits,
    )
