"""Why a request did not go out, in the terms that the guest, the log and the adapter need."""

from __future__ import annotations

ERROR_FIELD = b"wherry-egress-error"


class Failure(Exception):
    """An exchange that cannot go on.

    code: a case of wasi:http/types.error-code by its WIT name; "" for a caller who may not know any. sentence: for the
    log, without the request. denied: it was the policy and not the network.
    """

    def __init__(self, code: str, sentence: str = "", *, status: int = 502, denied: bool = False) -> None:
        super().__init__(sentence or code)
        self.code = code
        self.sentence = sentence
        self.status = status
        self.denied = denied

    @property
    def answer(self) -> bytes:
        """The whole HTTP response that tells it to the adapter."""
        code = b"%s: %s\r\n" % (ERROR_FIELD, self.code.encode()) if self.code else b""
        return b"HTTP/1.1 %d -\r\n%scontent-length: 0\r\nconnection: close\r\n\r\n" % (self.status, code)


class ClientGone(Exception):
    """The guest's side closed its connection: there is nobody to answer."""
