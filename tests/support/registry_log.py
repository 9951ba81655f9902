"""What a real registry was asked, read from its own log."""

from __future__ import annotations

import re
import ssl
import time
import urllib.error
import urllib.request
from uuid import uuid4

from tests.support.registry import Registry

_REQUEST = re.compile(r"response completed.* http\.request\.method=(\w+) .*http\.request\.uri=\"?([^\" ]+)")
WITHIN = 20.0


def requests(server: Registry, part: str) -> list[tuple[str, str]]:
    """(method, path) of every request so far whose path has `part` in it, oldest first."""
    mark = f"mark-{uuid4().hex}"
    _ask(server, mark)
    deadline = time.monotonic() + WITHIN
    while not any(mark in line for line in list(server.lines)):
        assert time.monotonic() < deadline, "the registry does not log what it is asked"
        time.sleep(0.01)
    found = [match.groups() for line in list(server.lines) if (match := _REQUEST.search(line))]
    return [(method, path) for method, path in found if part in path]


def _ask(server: Registry, mark: str) -> None:
    scheme = "https" if server.entry and server.entry.ca else "http"
    context = ssl.create_default_context(cadata=server.entry.ca) if scheme == "https" and server.entry else None
    try:
        urllib.request.urlopen(f"{scheme}://{server.host}/v2/{mark}/tags/list", context=context, timeout=WITHIN)
    except urllib.error.HTTPError as error:
        error.close()
