"""JavaScript to a wasi:http component by componentize-js of npm (13 MB: a whole JavaScript engine goes along)."""

from __future__ import annotations

from pathlib import Path

from examples.toolchain.cache import once
from examples.toolchain.interfaces import wit
from examples.toolchain.programs import tools
from examples.toolchain.run import require, run, tell

COMPONENTIZE_JS = "0.23.0"
PACKAGE = "@bytecodealliance/componentize-js"


def componentize_js() -> Path:
    """The program `componentize-js`."""
    folder = once(tools() / f"componentize-js-{COMPONENTIZE_JS}", _install)
    return folder / "node_modules" / ".bin" / "componentize-js"


def _install(folder: Path) -> None:
    npm = require("npm", "install Node.js 20 or later")
    tell(f"fetching componentize-js {COMPONENTIZE_JS} (400 MB on disk, once)")
    folder.mkdir()
    quiet = ["--no-fund", "--no-audit", "--loglevel=error"]
    run([npm, "install", "--prefix", folder, *quiet, f"{PACKAGE}@{COMPONENTIZE_JS}"])


def http_component(source: Path, out: Path) -> None:
    """A component from a module that listens for `fetch` events."""
    run([componentize_js(), source, "--wit", wit(), "--world-name", "http", "-o", out])
