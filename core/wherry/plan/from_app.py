"""WasmApp to RunPlan on one machine: what a Pod would give comes from the command line instead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from wherry.errors import FieldError, InvalidApp
from wherry.plan.environment import environment
from wherry.plan.expansion import expand
from wherry.plan.kind import run_of
from wherry.plan.model import ARGV0, HTTP_TIMEOUT, Limits, Mount, RunPlan, WasmFile
from wherry.spec.model import Spec, WasmApp
from wherry.wasm.module import Inspection


@dataclass(frozen=True, slots=True)
class Module:
    """The guest: where its bytes are, and what they say of themselves."""

    file: WasmFile
    inspection: Inspection


@dataclass(frozen=True, slots=True)
class Local:
    """What the command line gives. env wins over the app's; mounts is volume name to folder; None takes the app's."""

    env: Mapping[str, str] = field(default_factory=dict)
    mounts: Mapping[str, str] = field(default_factory=dict)
    port: int | None = None
    args: tuple[str, ...] | None = None


def from_app(app: WasmApp, module: Module, local: Local) -> RunPlan:
    """Raises InvalidApp with everything that the command line must still give, and a `run` that the module has not."""
    spec = app.spec
    run, faults = run_of(spec.run, module.inspection)
    env, missing = environment(spec, local.env)
    mounts, unmounted = _mounts(spec, local.mounts)
    if faults := [*faults, *missing, *unmounted]:
        raise InvalidApp(app.metadata.name, faults)
    http = run == "http"
    args = spec.args if local.args is None else local.args
    return RunPlan(
        run=run,
        wasm=module.file,
        argv=(ARGV0, *(expand(argument, env) for argument in args)),
        env=tuple(sorted(env.items())),
        mounts=mounts,
        port=(local.port or spec.port) if http else 0,
        limits=_limits(spec, http=http),
        outbound=tuple(map(str, spec.capabilities.outbound_http)),
    )


def _limits(spec: Spec, *, http: bool) -> Limits:
    given = spec.limits
    timeout = HTTP_TIMEOUT if http and given.timeout is None else given.timeout
    return Limits(memory=given.memory, timeout=timeout, fuel=given.fuel, concurrency=given.concurrency)


def _mounts(spec: Spec, folders: Mapping[str, str]) -> tuple[tuple[Mount, ...], list[FieldError]]:
    mounts, missing = [], []
    for index, grant in enumerate(spec.capabilities.files):
        if folder := folders.get(grant.name):
            mounts.append(Mount(host=folder, guest=grant.mount_path, readonly=grant.read_only))
        else:
            path = f"spec.capabilities.files[{index}]"
            cure = f"give --mount {grant.name}=DIR"
            missing.append(FieldError(path, "no folder on this machine", f"one for {grant.mount_path}", cure))
    return tuple(sorted(mounts, key=lambda mount: mount.guest)), missing
