"""Where the program lies that containerd calls."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent
PROGRAM = FOLDER / "containerd-shim-wherry-v1"
