"""The interface definitions of WASI 0.2 and the preview-1 adapters, as cargo packages carry them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from examples.toolchain.cache import key, once
from examples.toolchain.programs import CARGO_CURE, tools
from examples.toolchain.run import require, run, tell

WASI = "0.2.10"
"""What every guest here is built against: componentize-js wants exactly this one."""

WORLDS = Path(__file__).with_name("worlds.wit")

_CRATES = {"wasip2": "1.0.4+wasi-0.2.12", "wasi-preview1-component-adapter-provider": "50.0.1"}
_WIT_IN_CRATE = "0.2.12"

_CARGO_TOML = """[package]
name = "interfaces"
version = "0.0.0"
edition = "2021"
[dependencies]
"""


def wit() -> Path:
    """A folder to give as WIT path: the world `wherry:guest/<name>` of `worlds.wit`, WASI's packages in `deps`."""
    return once(tools() / f"interfaces-{WASI}-{key([WORLDS])}", _fetch) / "wit"


def preview1_adapter(kind: str) -> Path:
    """The adapter that makes a preview-1 module a component. kind: command, reactor or proxy."""
    return wit().parent / f"wasi_snapshot_preview1.{kind}.wasm"


def _fetch(target: Path) -> None:
    tell("fetching the interface definitions of WASI")
    target.mkdir()
    crates = _crate_folders(target / "crates")
    _copy_wit(crates["wasip2"] / "wit" / "deps", target / "wit" / "deps")
    shutil.copy(WORLDS, target / "wit")
    for adapter in (crates["wasi-preview1-component-adapter-provider"] / "artefacts").glob("*.wasm"):
        shutil.copy(adapter, target)


def _crate_folders(project: Path) -> dict[str, Path]:
    cargo = require("cargo", CARGO_CURE)
    (project / "src").mkdir(parents=True)
    (project / "src" / "lib.rs").touch()
    wanted = "".join(f'{name} = "={version.split("+")[0]}"\n' for name, version in _CRATES.items())
    (project / "Cargo.toml").write_text(_CARGO_TOML + wanted)
    run([cargo, "fetch"], cwd=project)
    packages = json.loads(run([cargo, "metadata", "--format-version", "1", "--offline"], cwd=project))["packages"]
    return {package["name"]: Path(package["manifest_path"]).parent for package in packages}


def _copy_wit(source: Path, target: Path) -> None:
    """Patch releases of WASI 0.2 only add to each other, so the version can be restated."""
    target.mkdir(parents=True)
    for file in source.glob("*.wit"):
        (target / file.name).write_text(file.read_text().replace(_WIT_IN_CRATE, WASI))
