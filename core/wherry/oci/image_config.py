"""The config of an image: which file of its layers is the program (image-spec config.md)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from wherry.errors import LayoutNotRunnable
from wherry.oci.digest import is_digest
from wherry.oci.document import describe, list_field, object_field, parse_object, refuse, text_field

_ARGUMENTS = 1024
_DIFF_IDS = 512
_ENVOY_PLUGIN = "plugin.wasm"


@dataclass(frozen=True, slots=True)
class ImageConfig:
    """command: entrypoint and arguments together. diff_ids: of the uncompressed tar layers, bottom up."""

    os: str
    architecture: str
    command: tuple[str, ...]
    diff_ids: tuple[str, ...]
    spin: bool


def parse(data: bytes, where: str) -> ImageConfig:
    """Raises ArtifactError."""
    fields = parse_object(data, where)
    config = object_field(fields, "config", where)
    rootfs = object_field(fields, "rootfs", where)
    diff_ids = _texts(list_field(rootfs, "diff_ids", f"{where}.rootfs", _DIFF_IDS), f"{where}.rootfs.diff_ids")
    if bad := next((text for text in diff_ids if not is_digest(text)), None):
        refuse(f"{where}.rootfs.diff_ids", repr(bad[:80]), "sha256 digests")
    parts = [_texts(list_field(config, name, where, _ARGUMENTS), where) for name in ("Entrypoint", "Cmd")]
    return ImageConfig(
        os=text_field(fields, "os", where, default=""),
        architecture=text_field(fields, "architecture", where, default=""),
        command=(*parts[0], *parts[1]),
        diff_ids=diff_ids,
        spin="com.fermyon.spin.lockedAppDigest" in object_field(config, "Labels", where),
    )


def layout_name(config: ImageConfig) -> str:
    """`docker-wasi` for an image that says it is Wasm, `compat` for one that passes as a Linux image."""
    return "docker-wasi" if config.architecture in {"wasm", "wasm32"} else "compat"


def program(config: ImageConfig, where: str) -> str:
    """The path of the Wasm file inside the layers, without a leading slash. Raises LayoutNotRunnable."""
    if not config.command:
        return _ENVOY_PLUGIN
    first = config.command[0]
    if first.endswith(".wasm"):
        return normal(first)
    raise LayoutNotRunnable(
        f"{where}: an ordinary container image: its entrypoint is {first[:80]!r}, not a .wasm file",
        cure="run it as a container, or `wherry push` the .wasm inside",
    )


def normal(path: str) -> str:
    """A path inside an image as tar entries and entrypoints both may write it: `/a`, `./a` and `a` are the same."""
    return "/".join(part for part in path.split("/") if part not in {"", "."})


def _texts(values: list[Any], where: str) -> tuple[str, ...]:
    if wrong := [value for value in values if not isinstance(value, str)]:
        refuse(where, describe(wrong[0]), "strings")
    return tuple(values)
