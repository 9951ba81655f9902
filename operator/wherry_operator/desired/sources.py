"""The ConfigMaps and Secrets that an app reads: what is watched for it, and what its Pods are rolled out for."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from wherry.spec.model import WasmApp
from wherry.spec.pod import EnvFrom, EnvSource
from wherry_operator.manifest import Manifest

Kind = Literal["ConfigMap", "Secret"]
DIGITS = 32
"""Of a checksum: half of SHA-256, which nobody can choose without the key."""


@dataclass(frozen=True, slots=True, order=True)
class Source:
    """One object in the app's namespace."""

    kind: Kind
    name: str


Found = Mapping[Source, Manifest | None]
"""The objects with their `data`; None for one that is not there, which an optional source may not be."""

_REFERENCES: Mapping[str, tuple[Kind, str]] = {
    "configMap": ("ConfigMap", "name"),
    "configMapKeyRef": ("ConfigMap", "name"),
    "configMapRef": ("ConfigMap", "name"),
    "secretKeyRef": ("Secret", "name"),
    "secretRef": ("Secret", "name"),
}
"""The fields of a Pod that name one, and the field in them that has its name."""


def of_pods(app: WasmApp) -> tuple[Source, ...]:
    """What its containers get as variables and volumes, sidecars' too: a change of it is rolled out."""
    spec = app.spec
    values = [variable.value_from for variable in spec.env]
    named = _named([*values, *spec.containers, spec.pod_template.spec])
    return _unique([*named, *map(_whole, spec.env_from)])


def needed(app: WasmApp) -> tuple[Source, ...]:
    """Of those, the ones without which no Pod starts: not marked optional where they are named."""
    spec = app.spec
    values = [variable.value_from for variable in spec.env]
    named = _named([*values, *spec.containers, spec.pod_template.spec], optional=False)
    return _unique([*named, *(_whole(each) for each in spec.env_from if not _is_optional(each))])


def env_names(app: WasmApp, found: Found) -> tuple[str, ...]:
    """The variables that envFrom brings, for `Context.env_names`."""
    sources = ((source.prefix or "", found.get(_whole(source)) or {}) for source in app.spec.env_from)
    names = (f"{prefix}{key}" for prefix, manifest in sources for key in manifest.get("data") or ())
    return tuple(sorted(set(names)))


def checksum(key: bytes, sources: Iterable[Source], found: Found) -> str:
    """For `Context.checksum`: another text for other content, and none that says anything about it without the key."""
    contents = [[each.kind, each.name, _content(found.get(each))] for each in sorted(sources)]
    if not contents:
        return ""
    text = json.dumps(contents, sort_keys=True, separators=(",", ":"))
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()[:DIGITS]


def _content(manifest: Manifest | None) -> object:
    """What Pods see of it; its labels and versions change nothing for them."""
    return manifest and {name: dict(manifest[name]) for name in ("data", "binaryData") if manifest.get(name)}


def _whole(source: EnvFrom) -> Source:
    if source.config_map_ref:
        return Source("ConfigMap", source.config_map_ref.name)
    assert source.secret_ref is not None  # noqa: S101  a rule of the spec
    return Source("Secret", source.secret_ref.name)


def _is_optional(source: EnvFrom) -> bool:
    return bool((source.config_map_ref or source.secret_ref or EnvSource(name="")).optional)


def _named(value: Any, *, optional: bool = True) -> Iterator[Source]:
    """By the names of fields, wherever they are: a source too many costs a watch, one too few a rollout.

    optional: with those that are marked so.
    """
    if isinstance(value, Mapping):
        for field, each in value.items():
            if optional or not (isinstance(each, Mapping) and each.get("optional")):
                yield from _reference(field, each)
            yield from _named(each, optional=optional)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _named(each, optional=optional)


def _reference(field: str, value: object) -> Iterator[Source]:
    if not isinstance(value, Mapping):
        return
    if field == "secret":  # a volume says secretName, a source of a projected volume says name
        names: list[Any] = [value.get("secretName"), value.get("name")]
        yield from (Source("Secret", name) for name in names if isinstance(name, str))
    elif field in _REFERENCES:
        kind, key = _REFERENCES[field]
        if isinstance(name := value.get(key), str):
            yield Source(kind, name)


def _unique(sources: Iterable[Source]) -> tuple[Source, ...]:
    return tuple(sorted(set(sources)))
