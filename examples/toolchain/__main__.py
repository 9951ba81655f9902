"""`python -m examples.toolchain LANGUAGE SOURCE OUT` builds one guest; `prepare` builds every example.

LANGUAGE: c-http, c-command, c-command-fast, rust, go, javascript, python.
What takes long is built once and kept in the cache.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from examples.toolchain.cache import root
from examples.toolchain.languages import LANGUAGES, build
from examples.toolchain.run import BuildFailed, MissingTool, run, tell

EXAMPLES = Path(__file__).parent.parent


def prepare() -> int:
    """Build every example, so that every toolchain is fetched; says what this machine cannot build. 0 when all did."""
    missing = 0
    for script in sorted(EXAMPLES.glob("*/build.sh")):
        tell(f"building {script.parent.name}")
        missing += not _builds(script)
    return missing


def _builds(script: Path) -> bool:
    scratch = root() / "prepared" / script.parent.name
    scratch.mkdir(parents=True, exist_ok=True)
    try:
        run(["sh", script, scratch / "app.wasm"], env={"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"})
    except BuildFailed as failure:
        tell(str(failure))
        return False
    return True


def main(arguments: list[str]) -> int:
    try:
        match arguments:
            case ["prepare"]:
                return prepare()
            case [name, source, out] if name in LANGUAGES:
                build(name, Path(source), Path(out))
                return 0
    except (MissingTool, BuildFailed) as failure:
        print(failure, file=sys.stderr)
        return 1
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
