"""A guest's environment on one machine: the app's values, and the command line's where a Pod would look elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from wherry.errors import FieldError
from wherry.plan.expansion import expand
from wherry.spec.model import Spec
from wherry.spec.pod import EnvFrom, EnvVar


def environment(spec: Spec, given: Mapping[str, str]) -> tuple[dict[str, str], list[FieldError]]:
    """Name to value, and what is missing. `given` wins over the app; names that the app does not know are added."""
    named = {variable.name for variable in spec.env}
    known = {name: value for name, value in given.items() if name not in named}
    missing = [
        _missing(f"spec.envFrom[{index}]", f"{source.prefix or ''}NAME")
        for index, source in enumerate(spec.env_from)
        if not _is_given(source, known)
    ]
    for index, variable in enumerate(spec.env):
        if variable.name in given:
            known[variable.name] = given[variable.name]
        elif variable.value_from is None:
            known[variable.name] = expand(variable.value or "", known)
        elif not _is_optional(variable):
            missing.append(_missing(f"spec.env[{index}].valueFrom", variable.name))
    return known, missing


def _is_optional(variable: EnvVar) -> bool:
    return any(source.get("optional") is True for source in (variable.value_from or {}).values())


def _is_given(source: EnvFrom, extra: Iterable[str]) -> bool:
    """A source's names are known in the cluster only: any name that nothing else explains counts as its."""
    ref = source.config_map_ref or source.secret_ref
    return bool(ref and ref.optional) or any(name.startswith(source.prefix or "") for name in extra)


def _missing(path: str, name: str) -> FieldError:
    return FieldError(
        path, "a source in a cluster", "its value on this machine", f"give --env {name}=VALUE or --env-file FILE"
    )
