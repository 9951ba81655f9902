"""To which pod a container belongs, read from its config.json without parsing it.

The process that asks becomes the ancestor of other pods' guests: no variable of this container may stay in its memory.
So the file is mapped and searched, and only the id that was found is copied. A text inside a JSON string cannot look
like what is searched: its quotes are escaped.
"""

from __future__ import annotations

import mmap
import os
import re
from pathlib import Path

from wherry.errors import StartError

_SANDBOX = re.compile(rb'"io\.kubernetes\.cri\.sandbox-id"\s*:\s*"([A-Za-z0-9_.-]{1,255})"')


def pod_of(bundle: Path, container: str) -> str:
    """The id of the pod's sandbox; the container's own where the kubelet has no part. Raises OSError, StartError."""
    with (bundle / "config.json").open("rb") as file:
        if not os.fstat(file.fileno()).st_size:
            raise StartError("plan", f"{file.name}: got no JSON, expected a runtime configuration")
        return _searched(file.fileno(), container)


def _searched(file: int, container: str) -> str:
    with mmap.mmap(file, 0, access=mmap.ACCESS_READ) as data:
        found = _SANDBOX.search(data)
        return found[1].decode() if found else container
