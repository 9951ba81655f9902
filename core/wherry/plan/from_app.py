"""WasmApp to RunPlan on one machine: what a Pod would give comes from the command line instead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from wherry.errors import FieldError, InvalidApp
from wherry.plan.annotation import annotated, planned
from wherry.plan.environment import environment
from wherry.plan.expansion import expand
from wherry.plan.kind import run_of
from wherry.plan.model import Mount, RunPlan, WasmFile
from wherry.spec.model import Spec, WasmApp
from wherry.spec.wording import suggest
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
    """Raises InvalidApp: what the command line must still give, a mount or a run that is not there."""
    spec = app.spec
    run, faults = run_of(spec.run, module.inspection)
    env, missing = environment(spec, local.env)
    mounts, unmounted = _mounts(spec, local.mounts)
    if faults := [*faults, *missing, *unmounted]:
        raise InvalidApp(app.metadata.name, faults)
    port = spec.port if local.port is None else local.port
    known = annotated(replace(spec, port=port), run, module.file.digest)
    args = spec.args if local.args is None else local.args
    return planned(known, module.file.path, (expand(argument, env) for argument in args), env, mounts)


def _mounts(spec: Spec, folders: Mapping[str, str]) -> tuple[tuple[Mount, ...], list[FieldError]]:
    mounts, missing = [], []
    for index, grant in enumerate(spec.capabilities.files):
        if folder := folders.get(grant.name):
            mounts.append(Mount(host=folder, guest=grant.mount_path, readonly=grant.read_only))
        else:
            path = f"spec.capabilities.files[{index}]"
            cure = f"give --mount {grant.name}=DIR"
            missing.append(FieldError(path, "no folder on this machine", f"one for {grant.mount_path}", cure))
    return tuple(mounts), [*missing, *_unknown(spec, folders)]


def _unknown(spec: Spec, folders: Mapping[str, str]) -> list[FieldError]:
    known = sorted({grant.name for grant in spec.capabilities.files})
    expected = f"a name of spec.capabilities.files{': ' * bool(known)}{', '.join(known)}"
    return [
        FieldError(f"--mount {name}", "a folder that the app does not ask for", expected, suggest(name, known))
        for name in folders
        if name not in known
    ]
