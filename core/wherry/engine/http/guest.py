"""From prepared code to a guest that workers can be forked around: loaded and linked."""

from __future__ import annotations

import os

from wherry.engine import capi, code
from wherry.engine.config import Pooling, new_engine
from wherry.engine.host import Host
from wherry.engine.http.component import ComponentGuest
from wherry.engine.http.memories import Memories
from wherry.engine.http.module import ModuleGuest
from wherry.engine.http.store import Grants
from wherry.engine.http.worker import Guest
from wherry.engine.prepare import Prepared
from wherry.engine.wasi import new_config
from wherry.errors import StartError
from wherry.plan.model import RunPlan


def load(prepared: Prepared, host: Host, concurrency: int, port: int) -> Guest:
    """A guest whose engine has room for `concurrency` instances in each worker. Raises StartError.

    Nothing here starts a thread: the caller may fork afterwards.
    """
    plan = prepared.plan
    capi.wasi_config_delete(new_config(plan))  # its errors are better told now than at the first request
    memories = _memories(prepared) if prepared.build.lifted else None
    # One that is kept may wait for its pipe's turn while another takes its place.
    pooling = Pooling(concurrency + (host.reuse > 1), plan.limits.memory)
    engine = new_engine(prepared.build, memories.creator if memories else pooling)
    loaded, grants = code.load(engine, prepared.code, prepared.kind), _grants(plan, engine.pointer)
    if prepared.kind == "module":
        return ModuleGuest(engine, loaded, grants, memories, port)
    outbound = prepared.build.adapter.endswith("outbound")
    authority = f"{host.address}:{port}"
    return ComponentGuest(engine, loaded, grants, memories, authority, outbound=outbound, reuse=host.reuse)


def _memories(prepared: Prepared) -> Memories:
    try:
        return Memories(prepared.code, prepared.plan.limits.memory)
    except OSError as error:
        raise StartError(
            "compile", f"compiled code {prepared.code}: {error.strerror}", cure="start it again"
        ) from error


def _grants(plan: RunPlan, engine: int) -> Grants:
    return Grants(
        engine,
        argv=tuple(map(os.fsencode, plan.argv)),
        env=tuple((os.fsencode(name), os.fsencode(value)) for name, value in plan.env),
        mounts=tuple((os.fsencode(mount.host), mount.guest.encode(), not mount.readonly) for mount in plan.mounts),
        limits=plan.limits,
    )
