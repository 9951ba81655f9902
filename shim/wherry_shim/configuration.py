"""A bundle's config.json as the host needs it: JSON, and the shapes of what it reads of `linux`.

What a container's process is, `wherry.plan.bundle` reads. Sizes are limited, because a host is shared by many pods.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from wherry.errors import StartError

MOST = 16 << 20
"""Bytes. The largest that containerd takes over its API."""


def read(bundle: Path) -> Mapping[str, Any]:
    """Raises OSError; StartError `plan` for what is no runtime configuration."""
    path = bundle / "config.json"
    with path.open("rb") as file:
        data = file.read(MOST + 1)
    if len(data) > MOST:
        raise _wrong(path, f"more than {MOST >> 20} MiB")
    try:
        spec = json.loads(data)
    except (ValueError, RecursionError) as fault:
        raise _wrong(path, f"no JSON ({type(fault).__name__})") from None
    if not isinstance(spec, Mapping):
        raise _wrong(path, f"a {type(spec).__name__}")
    _check(path, spec.get("linux") or {})
    return spec


def _check(path: Path, linux: object) -> None:
    if not isinstance(linux, Mapping):
        raise _wrong(path, f"{linux!r:.40} as linux")
    for name, is_right in _SHAPES.items():
        if (value := linux.get(name)) and not is_right(value):
            raise _wrong(path, f"{value!r:.40} as linux.{name}")


def _are_namespaces(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(each, Mapping) and isinstance(each.get("type"), str) and isinstance(each.get("path", ""), str)
        for each in value
    )


def _are_texts(value: object) -> bool:
    return isinstance(value, Mapping) and all(isinstance(each, str) for each in value.values())


_SHAPES: Mapping[str, Callable[[object], bool]] = {
    "namespaces": _are_namespaces,
    "cgroupsPath": lambda value: isinstance(value, str),
    "resources": lambda value: isinstance(value, Mapping),
    "sysctl": _are_texts,
}


def _wrong(path: Path, found: str) -> StartError:
    return StartError("plan", f"{path}: got {found}, expected a runtime configuration")
