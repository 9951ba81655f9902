"""Requests to one repository: oras-py's, with a deadline, few attempts and one kind of error.

Everything that a verb does (redirects, challenges, tokens, the body, further attempts) shares one deadline.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, TypeVar

import oras.provider
import requests
import urllib3

from wherry.errors import RegistryError
from wherry.oci.credentials import Credential
from wherry.oci.manifest import MANIFEST_LIMIT
from wherry.oci.transport import faults
from wherry.oci.transport.auth import ChallengeAuth
from wherry.oci.transport.body import pieces
from wherry.oci.transport.endpoint import Endpoint
from wherry.oci.transport.patience import Patience
from wherry.oci.transport.retry import persistently
from wherry.oci.transport.session import Session

T = TypeVar("T")

_LIBRARY_FAULTS = (
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    ConnectionError,
    TimeoutError,
    ssl.SSLError,
    ValueError,  # as AttributeError: oras-py and urllib3, of an answer they did not expect
    AttributeError,
)


class Client(oras.provider.Registry):  # type: ignore[misc]
    """oras-py's registry, of which only the request that answers a challenge is used. Not for two threads at once."""

    def __init__(self, endpoint: Endpoint, credential: Credential | None, patience: Patience, where: str) -> None:
        super().__init__(hostname=endpoint.netloc, insecure=endpoint.scheme == "http")
        self.session.close()
        self.session: Session = Session(endpoint, patience)
        self.auth = ChallengeAuth(self.session, endpoint, credential, where)
        self.origin = endpoint.origin
        self.patience = patience
        self.where = where

    def close(self) -> None:
        """Close the connections."""
        self.session.close()

    def verb(self, action: Callable[[], T], where: str, seconds: float) -> T:
        """What action returns, tried again where that may help, within seconds in all. Raises RegistryError.

        where begins the messages of everything that goes wrong meanwhile.
        """
        self.where = where
        deadline = time.monotonic() + seconds
        with self.session.wire.within(seconds):
            return persistently(lambda: self._attempt(action, seconds), self.patience, deadline)

    def send(
        self,
        method: str,
        url: str,
        *,
        accept: tuple[int, ...] = (200,),
        headers: Mapping[str, str] | None = None,
        data: Any = None,
    ) -> requests.Response:
        """A response with an acceptable status, its body still to be read. Only inside verb."""
        # Unwrapped: oras-py's retry sleeps for two minutes and treats refusals as faults.
        request = oras.provider.Registry.do_request.__wrapped__
        sent = {**(headers or {}), **self.auth.get_auth_header()}
        response: requests.Response = request(self, url, method, data=data, headers=sent, stream=True)
        if response.status_code not in accept:
            raise faults.of_response(response, self.where)
        if response.headers.get("Content-Encoding", "identity") != "identity":
            response.close()
            raise faults.fault("protocol", f"{self.where}: got a compressed body, which was not asked for")
        return response

    def read_all(self, response: requests.Response, limit: int = MANIFEST_LIMIT) -> bytes:
        """A whole body of at most limit bytes. Raises RegistryError: toobig, truncated."""
        return b"".join(counted(response, limit, self.where))

    def _attempt(self, action: Callable[[], T], seconds: float) -> T:
        # A head that was cut looks whole to Python's parser: after the deadline no result counts.
        try:
            found = action()
        except RegistryError as error:
            raise self._late(seconds) or located(error, self.where) from None
        except _LIBRARY_FAULTS as error:
            raise self._late(seconds) or faults.of_exception(error, self.where) from error
        if late := self._late(seconds):
            raise late
        return found

    def _late(self, seconds: float) -> RegistryError | None:
        if self.session.wire.expired:
            return faults.fault("timeout", f"{self.where}: not done within {seconds:.0f} s")
        return None


def located(error: RegistryError, where: str) -> RegistryError:
    """The same error, saying what it was about: what sockets and redirects raise does not know."""
    if error.message.startswith(where):
        return error
    return faults.fault(error.kind, f"{where}: {error.message}", cure=error.cure, retry_after=error.retry_after)


def counted(response: requests.Response, limit: int, where: str) -> Iterator[bytes]:
    """The body's pieces while they are at most limit bytes together, and the response closed after them."""
    announced = response.headers.get("Content-Length", "")
    total = int(announced) if announced.isdecimal() else 0
    try:
        if total > limit:
            raise faults.fault("toobig", f"{where}: got {total} bytes, expected at most {limit}")
        total = 0
        for piece in pieces(response):
            total += len(piece)
            if total > limit:
                raise faults.fault("toobig", f"{where}: got more than {limit} bytes")
            yield piece
    except (urllib3.exceptions.IncompleteRead, urllib3.exceptions.ProtocolError) as error:
        raise faults.fault("truncated", f"{where}: the connection ended after {total} bytes") from error
    finally:
        response.close()


def settled(endpoint: Endpoint, patience: Patience) -> Endpoint:
    """The endpoint with its scheme known. A loopback registry may speak HTTP: one question without credentials tells.

    HTTP first, because a TLS server answers plain text at once, and a plain one may wait for ever for a line's end.
    """
    if endpoint.scheme:
        return endpoint
    plain, secure = replace(endpoint, scheme="http"), replace(endpoint, scheme="https")
    session = Session(plain, replace(patience, idle=min(patience.idle, 2.0)))
    try:
        with session.wire.within(patience.idle), session.request("GET", f"{plain.origin}/v2/") as response:
            return secure if response.status_code == 400 else plain
    except requests.RequestException:
        return plain if session.wire.expired else secure
    finally:
        session.close()
