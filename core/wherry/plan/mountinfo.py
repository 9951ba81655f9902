"""/proc/self/mountinfo: which paths of this container are read-only (proc(5))."""

from __future__ import annotations

import re
from collections.abc import Callable


def readonly(text: str) -> Callable[[str], bool]:
    """Whether a path lies on a mount that may only be read."""
    mounts = dict(_mount(line) for line in text.splitlines() if line)

    def is_readonly(path: str) -> bool:
        above = [point for point in mounts if point in ("/", path) or path.startswith(f"{point}/")]
        return mounts[max(above, key=len)] if above else False

    return is_readonly


def _mount(line: str) -> tuple[str, bool]:
    point, options = line.split(" ")[4:6]
    unescaped = re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), point)
    return unescaped, "ro" in options.split(",")
