"""A registry that lies: what no real one does on purpose. Cases are chosen by the repository's name, `t/<case>`.

with hostile_registry() as server:
    pull(f"{server.host}/t/blob-cut:v1", …)
    server.seen     # every request, with the server that got it
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import ThreadingHTTPServer

from tests.support.certificates import Certificate, server_context
from tests.support.hostile_answers import answer_to
from tests.support.hostile_handler import Handler, Hostile


@contextmanager
def hostile_registry(certificate: Certificate | None = None) -> Iterator[Hostile]:
    """Two servers, with TLS if there is a certificate: the registry at localhost, the other at 127.0.0.1."""
    with ExitStack() as stack:
        hostile = Hostile("", "")
        for role in ("registry", "other"):
            handler = type("Case", (Handler,), {"hostile": hostile, "role": role, "answer": staticmethod(answer_to)})
            server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
            if certificate:
                server.socket = server_context(certificate).wrap_socket(server.socket, server_side=True)
            thread = threading.Thread(target=server.serve_forever, args=(0.05,))
            thread.start()
            for step in (server.server_close, thread.join, server.shutdown):
                stack.callback(step)
            if role == "registry":
                hostile.host = f"localhost:{server.server_address[1]}"
            else:
                hostile.other = f"127.0.0.1:{server.server_address[1]}"
        stack.callback(hostile.over.set)
        yield hostile
