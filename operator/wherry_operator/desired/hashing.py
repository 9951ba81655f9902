"""Short names for content."""

from __future__ import annotations

import hashlib
import json


def short_hash(value: object, digits: int) -> str:
    """Hexadecimal digits that are the same for equal JSON, in whatever order its names come."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:digits]
