"""The log: one line for each record, as JSON for collectors or as text for people, with the app that it is about."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

QUIET = ("kopf", "aiohttp", "kubernetes", "urllib3")
"""Libraries of which only warnings are worth a line."""
FIELDS = ("app", "outcome", "seconds")
"""What our own records may carry beside their message."""


class Json(logging.Formatter):
    """An object with time (RFC 3339), level, logger, message, what the record carries, and the traceback of a fault."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        entry |= {name: getattr(record, name) for name in FIELDS if hasattr(record, name)}
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False, default=str)


def start(form: str, level: str) -> None:
    """form: json or text. Replaces what others have set up."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Json() if form == "json" else logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logging.basicConfig(handlers=[handler], level=level, force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLogger().level))
