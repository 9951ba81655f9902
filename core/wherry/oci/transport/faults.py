"""Every way in which a registry fails, as one RegistryError each.

| kind | means | retry helps |
|---|---|---|
| `auth` | no credentials, wrong ones, or a challenge that cannot be answered | no |
| `denied` | the registry knows who asks and refuses | no |
| `notfound` | no such repository, tag, manifest or blob | no |
| `ratelimited` | too many requests; `retry_after` when the registry says | yes |
| `server` | 5xx | yes |
| `rejected` | another 4xx: it does not take what was sent | no |
| `unreachable` | no name, no route, refused, connection lost before an answer | yes |
| `timeout` | no answer, or one so slow that the deadline passed | yes |
| `truncated` | the connection ended before the body did | yes |
| `tls` | certificate or handshake | no |
| `toobig` | more bytes than the limit or than announced | no |
| `digest` | bytes that are not what their digest says | no |
| `protocol` | an answer that the distribution-spec does not allow | no |
| `policy` | an address, redirect or token server that our rules refuse | no |
"""

from __future__ import annotations

import json
import ssl
from email.utils import parsedate_to_datetime
from time import time
from urllib.parse import urlsplit

import requests
import urllib3

from wherry.errors import RegistryError
from wherry.oci.transport.body import read_some

RETRYABLE = frozenset({"ratelimited", "server", "unreachable", "timeout", "truncated"})

_ERROR_BODY = 16 << 10
_CURES = {
    "auth": "log in, or pass --username and --password-stdin",
    "denied": "ask for access to the repository, or use other credentials",
    "notfound": "check the spelling of repository and tag, and that it was pushed",
    "ratelimited": "wait, or log in for a higher limit",
    "server": "try again later or ask who runs the registry",
    "unreachable": "check the host's name and port, and that the registry runs",
    "timeout": "try again; the registry or the way to it is too slow",
    "truncated": "try again",
    "digest": "do not use it: the registry, its storage or the way to it changes bytes",
}
_STATUS = {401: "auth", 403: "denied", 404: "notfound", 408: "timeout", 429: "ratelimited"}
_SAYS = {
    "auth": "the registry does not accept the credentials",
    "denied": "the registry denies access",
    "notfound": "not there",
    "ratelimited": "too many requests",
    "timeout": "the registry gave up waiting",
}


def fault(kind: str, message: str, *, cure: str = "", retry_after: float | None = None) -> RegistryError:
    """A RegistryError of one of the kinds above, with the kind's own cure unless another is given."""
    return RegistryError(
        message, kind=kind, cure=cure or _CURES.get(kind, ""), retryable=kind in RETRYABLE, retry_after=retry_after
    )


def of_response(response: requests.Response, where: str) -> RegistryError:
    """The error that an unwelcome status means. Reads a little of the body and closes the response."""
    status = response.status_code
    detail = _detail(response)
    kind = _STATUS.get(status) or ("server" if status >= 500 else "rejected")
    said = _SAYS.get(kind, f"the registry answers {status}")
    after = retry_after(response.headers.get("Retry-After")) if kind in {"ratelimited", "server"} else None
    return fault(kind, f"{where}: {said}" + (f" ({detail})" if detail else ""), retry_after=after)


def of_exception(fault_: Exception, where: str) -> RegistryError:
    """What requests, urllib3 and oras-py raise, as a RegistryError."""
    if isinstance(fault_, requests.exceptions.SSLError | urllib3.exceptions.SSLError | ssl.SSLError):
        return _tls(fault_, where)
    if isinstance(fault_, requests.exceptions.Timeout | urllib3.exceptions.TimeoutError | TimeoutError):
        return fault("timeout", f"{where}: no answer in time")
    if isinstance(fault_, requests.exceptions.ConnectionError | urllib3.exceptions.ProtocolError | ConnectionError):
        return fault("unreachable", f"{where}: the connection broke before an answer")
    return fault("protocol", f"{where}: got an answer that no registry may give ({_plain(str(fault_))[:120]})")


def retry_after(text: str | None) -> float | None:
    """Seconds of a Retry-After header (RFC 9110 §10.2.3); None when it is absent or nonsense."""
    if text is None:
        return None
    if text.strip().isdecimal():
        return float(text.strip()[:9])
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time())
    except (ValueError, OverflowError):
        return None


def place(url: str) -> str:
    """A URL for a message: without query, because a redirect's query is a credential."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}"


def _tls(fault_: Exception, where: str) -> RegistryError:
    text = str(fault_)
    if "WRONG_VERSION_NUMBER" in text or "record layer failure" in text.lower():
        cure = "if that is meant, set plainHTTP for the host in the registries file"
        return fault("tls", f"{where}: the server does not speak TLS", cure=cure)
    cause = next((arg for arg in _causes(fault_) if isinstance(arg, ssl.SSLError)), None)
    said = getattr(cause, "verify_message", "") or getattr(cause, "reason", "") or "handshake failed"
    return fault("tls", f"{where}: {_plain(str(said))}", cure="set caFile for the host in the registries file")


def _causes(fault_: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while fault_ is not None and fault_ not in found:
        found.append(fault_)
        reason = getattr(fault_, "reason", None)
        args = [arg for arg in (reason, *fault_.args) if isinstance(arg, BaseException)]
        fault_ = args[0] if args else fault_.__cause__ or fault_.__context__
    return found


def _detail(response: requests.Response) -> str:
    """`CODE: message` of the first error in a registry's answer (distribution-spec §Error codes), else ""."""
    try:
        first = json.loads(read_some(response, _ERROR_BODY))["errors"][0]
        return _plain(f"{first['code']}: {first['message']}")[:200]
    except (ValueError, LookupError, TypeError, RecursionError, OSError, urllib3.exceptions.HTTPError):
        return ""
    finally:
        response.close()


def _plain(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text)
