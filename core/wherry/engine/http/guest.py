"""From a plan to a guest that workers can be forked around: admitted, compiled, loaded, linked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from wherry.engine.admit import adapter_of, admit
from wherry.engine.code import compiled
from wherry.engine.code import load as load_code
from wherry.engine.command import inspected
from wherry.engine.config import Build, Pooling, new_engine
from wherry.engine.host import Host
from wherry.engine.http.component import ComponentGuest
from wherry.engine.http.module import ModuleGuest
from wherry.engine.http.store import Grants
from wherry.engine.http.worker import Guest
from wherry.plan.model import RunPlan
from wherry.wasm.module import Inspection


@dataclass(frozen=True, slots=True)
class Prepared:
    """Checked and compiled, but not loaded."""

    plan: RunPlan
    inspection: Inspection
    build: Build
    code: Path


def prepare(plan: RunPlan, host: Host) -> Prepared:
    """Compile if need be. Raises StartError."""
    inspection = inspected(plan.wasm)
    admit(inspection, "http", plan.wasm.path)
    build = Build(adapter=adapter_of(inspection, "http", plan.outbound), fuel=plan.limits.fuel is not None)
    return Prepared(plan, inspection, build, compiled(plan.wasm, build, host.cache, host.report))


def load(prepared: Prepared, host: Host, concurrency: int, port: int) -> Guest:
    """A guest whose engine has room for `concurrency` instances in each worker. Raises StartError.

    Nothing here starts a thread: the caller may fork afterwards.
    """
    plan = prepared.plan
    engine = new_engine(prepared.build, Pooling(concurrency, plan.limits.memory))
    code = load_code(engine, prepared.code, prepared.inspection.kind)
    env = tuple((name.encode(), value.encode()) for name, value in plan.env)
    grants = Grants(engine.pointer, tuple(map(str.encode, plan.argv)), env, plan.mounts, plan.limits)
    if prepared.inspection.kind == "module":
        return ModuleGuest(engine, code, grants, port)
    outbound = prepared.build.adapter.endswith("outbound")
    return ComponentGuest(engine, code, grants, f"{host.address}:{port}", outbound=outbound)
