"""Python to a wasi:http component by componentize-py of PyPI (18 MB: CPython goes along)."""

from __future__ import annotations

import sys
from pathlib import Path

from examples.toolchain.cache import once
from examples.toolchain.interfaces import wit
from examples.toolchain.programs import tools
from examples.toolchain.run import run, tell

COMPONENTIZE_PY = "0.25.1"


def componentize_py() -> Path:
    """The folder of the package; it is no dependency of this project, so it stays out of its environment."""
    return once(tools() / f"componentize-py-{COMPONENTIZE_PY}", _install)


def _install(folder: Path) -> None:
    tell(f"fetching componentize-py {COMPONENTIZE_PY}")
    run([sys.executable, "-m", "pip", "install", "-q", "--target", folder, f"componentize-py=={COMPONENTIZE_PY}"])


def http_component(source: Path, out: Path) -> None:
    """A component from a module with a class IncomingHandler."""
    package = componentize_py()
    program: list[str | Path] = [
        package / "bin" / "componentize-py",
        "--wit-path",
        wit(),
        "--world",
        "wherry:guest/http",
    ]
    run(
        [*program, "componentize", "--python-path", source.parent, source.stem, "-o", out.absolute()],
        env={"PYTHONPATH": str(package)},
    )
