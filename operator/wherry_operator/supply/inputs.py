"""What an artifact was found from, as one text: while it is the same, the status is the answer.

Two hashes, `<place>.<trust>`: where it was looked for, and whose signatures it had to have. Every app's status keeps
one, so that what is hashed may change only together with the version in it: another version asks for every artifact
again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from wherry_operator.supply.demands import Demand

_VERSION = 1
_HEX = 32


def inputs_of(wanted: str, refresh: str, demands: Sequence[Demand]) -> str:
    """wanted: the reference. refresh: value of the annotation. demands: with the keys' bytes."""
    asked = [[demand.by, demand.threshold, [[name, pem.hex()] for name, pem in demand.keys]] for demand in demands]
    return f"{_hash([_VERSION, wanted, refresh])}.{_hash([_VERSION, asked])}"


def same_place(one: str, other: str) -> bool:
    """Whether both were looked for at the same reference, by the same wish."""
    return one.partition(".")[0] == other.partition(".")[0]


def same_trust(one: str, other: str) -> bool:
    """Whether both had to have the same signatures."""
    return one.partition(".")[2] == other.partition(".")[2]


def _hash(value: object) -> str:
    text = json.dumps(value, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:_HEX]
