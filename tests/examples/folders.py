"""The example folders, and a copy of one in which its page can be followed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from examples.toolchain.cache import root
from tests.architecture.tree import ROOT
from tests.docs.walkthrough import Walk

EXAMPLES = ROOT / "examples"
FOLDERS = sorted(script.parent for script in EXAMPLES.glob("*/build.sh"))
TEXTS = {".yaml", ".md", ".sh"}


def committed(folder: Path) -> Path | None:
    """The built file in the tree, when it is small enough to be there."""
    return next(iter(folder.glob("*.wasm")), None)


def warm() -> dict[str, str]:
    """Caches that outlive a test: compilers, what they built, and the engine's machine code."""
    home = Path.home()
    return {
        "WHERRY_BUILD_CACHE": str(root()),
        "WHERRY_CACHE": str(root() / "examples"),
        "ZIG_GLOBAL_CACHE_DIR": os.environ.get("ZIG_GLOBAL_CACHE_DIR", str(home / ".cache" / "zig")),
        "GOCACHE": os.environ.get("GOCACHE", str(home / ".cache" / "go-build")),
        "CARGO_HOME": os.environ.get("CARGO_HOME", str(home / ".cargo")),
        "RUSTUP_HOME": os.environ.get("RUSTUP_HOME", str(home / ".rustup")),
    }


@dataclass(frozen=True)
class ExampleWalk(Walk):
    """A page followed in a copy of its folder, beside the toolchain and the SDK."""

    caches: Mapping[str, str] = field(default_factory=warm)

    def environment(self) -> dict[str, str]:
        return {**super().environment(), **self.caches}

    def copied(self, example: Path) -> ExampleWalk:
        """The walk inside a copy of this example, its texts substituted as the page is."""
        home = self.folder / "examples"
        target = home / example.name
        shutil.copytree(example, target, ignore=shutil.ignore_patterns("build"))
        for shared in ("toolchain", "sdk"):
            (home / shared).symlink_to(EXAMPLES / shared)
        for file in target.iterdir():
            if file.suffix in TEXTS:
                file.write_text(self.substituted(file.read_text()))
        return ExampleWalk(target, self.port, self.substitutions)
