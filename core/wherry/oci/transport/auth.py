"""Answering a registry's challenge: Basic, or a bearer token from the server that it names.

oras-py parses challenges and asks for tokens; this decides which scheme, with which credential, and who may see it.
One object is for one repository and one credential: a token is never used elsewhere.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from oras.auth.token import TokenAuth
from oras.auth.utils import authHeader, get_basic_auth, parse_auth_header

from wherry.errors import ArtifactError, RegistryError
from wherry.oci.credentials import Credential
from wherry.oci.document import parse_object
from wherry.oci.transport import faults
from wherry.oci.transport.body import read_some
from wherry.oci.transport.endpoint import Endpoint, host_of
from wherry.oci.transport.session import Session, same_origin

_TOKEN_ANSWER = 256 << 10
_CLIENT = "wherry"


class ChallengeAuth(TokenAuth):  # type: ignore[misc]
    """oras-py's authentication backend, with the scheme chosen by the challenge and the realm judged first."""

    def __init__(self, session: Session, endpoint: Endpoint, credential: Credential | None, where: str) -> None:
        super().__init__()
        self.session = TokenDesk(session, where)
        self._tls_verify = True
        self.prefix = endpoint.scheme
        self._endpoint = endpoint
        self._credential = credential
        self._where = where
        self._header: dict[str, str] = {}
        if credential and credential.username:
            self._basic_auth = get_basic_auth(credential.username, credential.password)

    def load_configs(self, *_: Any, **__: Any) -> None:
        """Never: oras-py would add the user's own Docker configuration to whatever it is given."""

    def get_auth_header(self) -> dict[str, str]:
        """What the last challenge was answered with; empty before the first."""
        return self._header

    def authenticate_request(
        self,
        original: requests.Response,
        headers: dict[str, str] | None,
        refresh: bool = False,  # noqa: ARG002 - oras-py asks so
    ) -> tuple[dict[str, str], bool]:
        """Headers that answer the challenge of a 401. A 403 is no challenge. Raises RegistryError."""
        if original.status_code != 401:
            raise faults.of_response(original, self._where)
        challenge = original.headers.get("WWW-Authenticate", "")
        original.close()
        self._header = {"Authorization": self._answer(challenge)}
        return {**(headers or {}), **self._header}, True

    def _answer(self, challenge: str) -> str:
        lower = challenge.lower()
        if "bearer " in lower:
            return f"Bearer {self._token(parse_auth_header(challenge[lower.index('bearer ') :]))}"
        if "basic" not in lower:
            raise faults.fault("auth", f"{self._where}: 401 without a challenge that we know ({challenge[:60]!r})")
        if not hasattr(self, "_basic_auth"):
            raise faults.fault("auth", f"{self._where}: the registry asks for a user and a password, none is given")
        return f"Basic {self._basic_auth}"

    def _token(self, challenge: authHeader) -> str:
        self._check_realm(challenge.realm or "")
        if self._credential and self._credential.identity_token:
            found = self._exchange(challenge, self._credential.identity_token)
        elif self._credential:
            found = self.request_token(challenge)
        else:
            found = self.request_anonymous_token(challenge)
        if not isinstance(found, str) or not found.isascii() or not found.isprintable() or not found:
            raise faults.fault("protocol", f"{self._where}: {challenge.realm} gives no usable token")
        return found

    def _exchange(self, challenge: authHeader, refresh_token: str) -> Any:
        """OAuth2, for what `docker login` keeps as an identity token (distribution's token/oauth specification)."""
        form = {"grant_type": "refresh_token", "client_id": _CLIENT, "refresh_token": refresh_token}
        form |= {"service": challenge.service or "", "scope": challenge.scope or ""}
        return self.session.request("POST", challenge.realm, data=form).json().get("access_token")

    def _check_realm(self, realm: str) -> None:
        if may_ask(self._endpoint, realm, with_credential=self._credential is not None):
            return
        raise faults.fault(
            "policy",
            f"{self._where}: sends us for a token to {faults.place(realm)[:120]!r}, which may not see the credentials",
            cure="use a registry whose token server has the same domain and HTTPS",
        )


def may_ask(endpoint: Endpoint, realm: str, *, with_credential: bool) -> bool:
    """Whether a token may be asked for at realm.

    The registry's own origin always; another one only by HTTPS, and with a credential only within the registry's
    parent domain (registry.example.com may send us to auth.example.com and to example.com).
    """
    try:
        parts = urlsplit(realm)
        if parts.username is not None or not parts.netloc:
            return False
        if same_origin(endpoint.origin, realm):
            return True
    except ValueError:
        return False
    return parts.scheme == "https" and (not with_credential or _siblings(endpoint.host, host_of(parts.netloc)))


def _siblings(registry: str, realm: str) -> bool:
    if registry == realm:
        return True
    parent = registry.partition(".")[2]
    is_name = "." in parent and not registry.replace(".", "").isdigit() and ":" not in registry
    return is_name and (realm == parent or realm.endswith(f".{parent}"))


class TokenDesk:
    """What oras-py's token requests go through: bounded, checked, and an error of ours when refused."""

    def __init__(self, session: Session, where: str) -> None:
        self._session = session
        self._where = where

    def get(self, url: str, **options: Any) -> requests.Response:
        """As `requests.Session.get`."""
        return self.request("GET", url, **options)

    def request(self, method: str, url: str, **options: Any) -> requests.Response:
        """A 200 with a JSON object, whose body has been read. Raises RegistryError."""
        where = f"{self._where}: {faults.place(url)}"
        response = self._session.request(method, url, **options)
        if response.status_code != 200:
            raise self._refusal(response, where)
        try:
            data = read_some(response, _TOKEN_ANSWER)
            parse_object(data, where)
        except ArtifactError as error:
            raise faults.fault("protocol", error.message) from None
        except urllib3.exceptions.HTTPError as error:
            raise faults.of_exception(error, where) from None
        finally:
            response.close()
        response._content = data
        return response

    @staticmethod
    def _refusal(response: requests.Response, where: str) -> RegistryError:
        error = faults.of_response(response, where)
        if response.status_code in {400, 403}:
            return faults.fault("auth", error.message)
        return error
