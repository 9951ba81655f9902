"""Prints the dashboard."""

from __future__ import annotations

import json
import sys

from dashboard.grafana import dashboard
from dashboard.rows import ROWS, VARIABLES


def page() -> str:
    """The file that the chart holds."""
    return json.dumps(dashboard("Wherry", "wherry", ROWS, VARIABLES), indent=2) + "\n"


if __name__ == "__main__":
    sys.stdout.write(page())
