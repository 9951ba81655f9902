"""Requests under our rules: which URLs, which redirects, and who sees a credential."""

from __future__ import annotations

import ssl
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter

from wherry.oci.transport.endpoint import Endpoint, host_of, tls_context
from wherry.oci.transport.faults import fault, place
from wherry.oci.transport.patience import Patience
from wherry.oci.transport.wire import Wire, pools

REDIRECTS = 3


class Session(requests.Session):
    """A session for one registry: nothing ambient (netrc, proxies, cookies), no redirect but of a blob's bytes."""

    def __init__(self, endpoint: Endpoint, patience: Patience) -> None:
        super().__init__()
        self.trust_env = False
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self.headers.update({"User-Agent": "wherry", "Accept-Encoding": "identity"})
        self.wire = Wire(endpoint.host, patience.connect, allow_private=endpoint.allow_private)
        self._timeout = (patience.connect, patience.idle)
        # Reading the system's roots takes 20 ms, which a registry on loopback need not pay.
        context = tls_context(endpoint.ca) if endpoint.scheme != "http" else None
        self.mount("http://", _Adapter(self.wire, None))
        self.mount("https://", _Adapter(self.wire, context))

    def request(self, method: str, url: str, **options: Any) -> requests.Response:  # type: ignore[override]
        """As requests does it, streamed; the status is the caller's to judge."""
        options |= {"timeout": self._timeout, "allow_redirects": False, "stream": True, "verify": True}
        body = options.get("data")
        if body is not None and hasattr(body, "seek"):
            body.seek(0)  # oras-py sends the same object again after a challenge
        response = super().request(method, url, **options)
        if response.is_redirect and method in {"GET", "HEAD"} and _is_blob(url):
            return self._follow(response, method, options)
        return response

    def close(self) -> None:
        """Close every connection."""
        super().close()
        self.wire.close()

    def _follow(self, response: requests.Response, method: str, options: dict[str, Any]) -> requests.Response:
        for _ in range(REDIRECTS):
            here, there = response.url, urljoin(response.url, response.headers["Location"])
            response.close()
            check_redirect(here, there)
            headers = dict(options.get("headers") or {})
            if not same_origin(here, there):
                headers.pop("Authorization", None)
            options = {**options, "headers": headers, "params": None}
            response = super().request(method, there, **options)
            if not response.is_redirect:
                return response
        response.close()
        raise fault("policy", f"more than {REDIRECTS} redirects, the last from {place(response.url)}")


class _Adapter(HTTPAdapter):
    """Connections by wire and certificates by context, whatever the environment says."""

    def __init__(self, wire: Wire, context: ssl.SSLContext | None) -> None:
        self._wire = wire
        self._context = context
        super().__init__(max_retries=0, pool_connections=4, pool_maxsize=1)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """The pools of this session's wire."""
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = pools(self._wire)

    def build_connection_pool_key_attributes(self, request: Any, verify: Any, cert: Any = None) -> Any:
        """Our context and nothing beside it: requests would add its own bundle of roots."""
        host, pool = super().build_connection_pool_key_attributes(request, verify, cert)
        if host["scheme"] == "https":
            context = self._context or tls_context("")
            return host, {"ssl_context": context, "cert_reqs": "CERT_REQUIRED"}
        return host, pool

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Nothing to add: the context says it all."""


def same_origin(one: str, other: str) -> bool:
    """Scheme, host and port are equal (RFC 6454 §4)."""
    return origin_of(one) == origin_of(other)


def origin_of(url: str) -> tuple[str, str, int]:
    """(scheme, host, port) with the scheme's own port filled in."""
    parts = urlsplit(url)
    return parts.scheme, host_of(parts.netloc), parts.port or (443 if parts.scheme == "https" else 80)


def check_redirect(here: str, there: str) -> None:
    """A redirect may leave its origin by HTTPS alone, and names no user. Raises RegistryError.

    Any host: blob stores are everywhere, the bytes are hashed and no credential goes along; the address is judged
    when it is dialled.
    """
    try:
        if urlsplit(there).username is None and (same_origin(here, there) or urlsplit(there).scheme == "https"):
            return
    except ValueError:
        pass
    raise fault("policy", f"redirects to {place(there)[:120]}, which is not HTTPS")


def _is_blob(url: str) -> bool:
    path = urlsplit(url).path
    return path.startswith("/v2/") and "/blobs/sha256:" in path
