"""What was found of digests, so that a tag that did not move, and an app like another, cost no second download."""

from __future__ import annotations

from wherry_operator.supply.look import Found, Question

MANY = 1024


class Memory:
    """The latest answers. Written by the loop alone; read by any thread.

    An answer is for the question with the same credentials: what one app may read is not told to another.
    """

    def __init__(self) -> None:
        self._found: dict[Question, Found] = {}

    def recall(self, question: Question) -> Found | None:
        """What was found, if that was not long ago."""
        return self._found.get(question)

    def keep(self, question: Question, found: Found) -> None:
        """The oldest goes when there are too many."""
        self._found[question] = found
        if len(self._found) > MANY:
            del self._found[next(iter(self._found))]
