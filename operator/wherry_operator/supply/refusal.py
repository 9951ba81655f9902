"""Why nothing is asked of a registry: what an app or its cluster wrote is missing, wrong or against the policy."""

from __future__ import annotations

from typing import Literal

from wherry_operator.conditions import Verdict

About = Literal["Resolved", "Verified"]


class Refused(Exception):
    """about: the condition that says it. Never leaves this package."""

    def __init__(self, about: About, reason: str, message: str) -> None:
        super().__init__(message)
        self.about = about
        self.verdict = Verdict("False", reason, message)
