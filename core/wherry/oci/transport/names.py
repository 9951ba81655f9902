"""Host names into addresses, within a time: the resolver itself has no deadline and may take half a minute."""

from __future__ import annotations

import queue
import socket
import threading

from wherry.oci.transport.addresses import Address, addresses_of

Answer = list[tuple[object, ...]] | OSError | UnicodeError


def resolved(host: str, port: int, seconds: float) -> tuple[Address, ...]:
    """Every address of host, in the resolver's order. Raises TimeoutError, socket.gaierror, UnicodeError.

    A resolver that does not answer keeps its thread until it gives up; the thread keeps nothing else.
    """
    answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
    threading.Thread(target=_ask, args=(host, port, answers), daemon=True).start()
    try:
        answer = answers.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError from None
    if isinstance(answer, Exception):
        raise answer
    return addresses_of(answer)


def _ask(host: str, port: int, answers: queue.SimpleQueue[Answer]) -> None:
    try:
        answers.put(list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))
    except (OSError, UnicodeError) as error:
        answers.put(error)
