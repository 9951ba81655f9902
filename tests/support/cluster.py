"""Where programs of Kubernetes are that were built for tests: `$WHERRY_CLUSTER_CACHE/bin`."""

from __future__ import annotations

import os
from pathlib import Path


def programs() -> Path:
    """The folder, which need not exist."""
    return Path(os.environ.get("WHERRY_CLUSTER_CACHE") or Path.home() / ".cache" / "wherry-cluster") / "bin"
