"""What can go wrong on a node, and which step it was."""

from __future__ import annotations

from wherry.errors import WherryError


class NodeError(WherryError):
    """The node is not as it must be, or refused a change. Raised before the change, or after it was undone."""
