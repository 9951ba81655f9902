"""What a worker writes to its log: one line for each event, one JSON object for each request when asked."""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from datetime import UTC, datetime

from wherry.engine.http.head import RequestHead
from wherry.plan.ending import Ending

TRAPS_LIMIT = 64 << 10
"""Bytes of the file of traps, above which no more are kept."""


class Journal:
    """Lines to the file descriptor `log`. One write for each entry, so that processes do not mix theirs.

    traps: see Host.
    """

    def __init__(self, log: int, access: bool, traps: int | None = None) -> None:
        self._log = log
        self._traps = traps
        self.access_enabled = access

    def say(self, text: str) -> None:
        os.write(self._log, f"wherry: {text}\n".encode())

    def ended(self, ending: Ending, head: RequestHead, request_id: bytes) -> None:
        """A guest that did not end well: its termination message, and the request it happened in."""
        entry = f"{ending.message}\n    in request {_name(head)} id={request_id.decode()}\n".encode()
        os.write(self._log, entry)
        if self._traps is not None and os.fstat(self._traps).st_size < TRAPS_LIMIT:
            with suppress(OSError):  # a full disk is no reason to answer less
                os.write(self._traps, entry)

    def refused(self, what: str, head: RequestHead, request_id: bytes) -> None:
        self.say(f"{what} in request {_name(head)} id={request_id.decode()}")

    def access(  # noqa: PLR0913, PLR0917 - one argument for each thing that a line tells
        self, head: RequestHead, request_id: bytes, peer: bytes, status: int, sent: int, seconds: float
    ) -> None:
        """status is 0 when the client went away before there was one."""
        trace = next((value for name, value in head.fields if name == b"traceparent"), b"")
        entry = {
            "time": datetime.fromtimestamp(time.time(), UTC).isoformat(timespec="milliseconds"),
            "peer": peer.decode(),
            "method": head.method.decode(),
            "target": head.target.decode("latin-1"),
            "status": status,
            "bytes": sent,
            "seconds": round(seconds, 6),
            "request_id": request_id.decode(),
        }
        if trace:
            entry["traceparent"] = trace.decode("latin-1")
        os.write(self._log, (json.dumps(entry) + "\n").encode())


def _name(head: RequestHead) -> str:
    return f"{head.method.decode()} {head.target[:200].decode('latin-1')}"
