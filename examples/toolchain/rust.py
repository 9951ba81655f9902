"""Rust to a preview-1 module by Debian's own rustc and Debian's standard library for wasm32-wasi.

The packages are unpacked into the cache, not installed: no root, no rustup, and the machine's Rust stays
what it is.
"""

from __future__ import annotations

from pathlib import Path

from examples.toolchain.cache import once
from examples.toolchain.programs import path_with, tools
from examples.toolchain.run import require, run, tell

RUST = "1.63"
PACKAGES = [
    *("rustc", f"libstd-rust-{RUST}", "libstd-rust-dev-wasm32", "lld-14"),
    *("libllvm14", "libz3-4", "libedit2", "libbsd0", "libmd0", "libxml2", "libicu72", "libffi8"),
]
FLAGS = ["--target", "wasm32-wasi", "-C", "opt-level=z", "-C", "lto", "-C", "strip=symbols", "-C", "panic=abort"]


def debian_rust() -> Path:
    """The folder in which Debian's packages are unpacked."""
    return once(tools() / f"debian-rust-{RUST}", _unpack)


def _unpack(folder: Path) -> None:
    cure = f"Debian 12 has the packages {' '.join(PACKAGES[:4])}"
    apt, dpkg = require("apt-get", cure), require("dpkg", cure)
    tell(f"fetching Debian's Rust {RUST} for wasm32-wasi (400 MB on disk, once)")
    folder.mkdir()
    run([apt, "download", *PACKAGES], cwd=folder)
    for package in folder.glob("*.deb"):
        run([dpkg, "-x", package, folder])
        package.unlink()


def preview1(source: Path, out: Path) -> None:
    """A preview-1 command from one source file."""
    usr = debian_rust() / "usr"
    libraries = f"{usr / 'lib' / 'x86_64-linux-gnu'}:{usr / 'lib'}"
    env = {**path_with(usr / "bin"), "LD_LIBRARY_PATH": libraries}
    run([usr / "bin" / "rustc", *FLAGS, source.name, "-o", out.absolute()], cwd=source.parent, env=env)
