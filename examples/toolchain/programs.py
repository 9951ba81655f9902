"""Where each build program comes from: a package registry, a pinned version, installed once into the cache."""

from __future__ import annotations

import os
import sys
from importlib.metadata import version
from pathlib import Path

from examples.toolchain.cache import once, root
from examples.toolchain.run import require, run, tell

WASM_TOOLS = "1.263.0"
CARGO_CURE = "install Rust (https://rustup.rs) or Debian's cargo"


def tools() -> Path:
    return root() / "tools"


def zig() -> list[str]:
    """`zig` of the PyPI package ziglang: a C compiler with a WASI libc in it."""
    return [sys.executable, "-m", "ziglang"]


def zig_version() -> str:
    return version("ziglang")


def wasm_tools() -> Path:
    """The crate wasm-tools, its `component` command only: that is a minute to build instead of ten."""
    return once(tools() / f"wasm-tools-{WASM_TOOLS}", _install_wasm_tools) / "bin" / "wasm-tools"


def _install_wasm_tools(prefix: Path) -> None:
    cargo = require("cargo", CARGO_CURE)
    tell(f"building wasm-tools {WASM_TOOLS} (a minute or two, once)")
    features = ["--no-default-features", "--features", "component"]
    run([cargo, "install", "wasm-tools", "--version", WASM_TOOLS, "--locked", *features, "--root", prefix])


def path_with(*folders: Path) -> dict[str, str]:
    """An environment in which these folders are searched first."""
    return {"PATH": os.pathsep.join([*map(str, folders), os.environ.get("PATH", "")])}
