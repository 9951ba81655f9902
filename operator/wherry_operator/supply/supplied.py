"""What is known of an app's artifact after looking."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from wherry.spec.status import ArtifactStatus
from wherry_operator.conditions import Verdict

Source = Literal["status", "registry", "nowhere"]
"""Where the answer about an artifact was."""


@dataclass(frozen=True, slots=True)
class Supplied:
    """artifact: what may be applied; the remembered one while a registry is out; None when nothing may. What runs
    meanwhile is then left as it is, and so is status.artifact, which says what runs.

    again: seconds after which to look again whatever happens (refresh, or back-off after a fault), None for never.
    """

    artifact: ArtifactStatus | None
    resolved: Verdict
    verified: Verdict
    again: float | None = None
