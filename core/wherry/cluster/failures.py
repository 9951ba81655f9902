"""What can be wrong with an answer of the API server, by what to do about it.

ClusterError(WherryError)
├── Conflict          somebody else changed the object in between
├── Replaced          the object is gone; another one may have its name
├── AlreadyExists     the name is taken
├── NotFound          no such object, or no such kind in this cluster
├── Gone              a resource version that the server no longer knows: list again
├── Unauthenticated   the API server does not know who asks
├── Forbidden         the role lacks a permission
├── Refused           an admission check, a quota or a namespace that is going away
├── Invalid           the object is not acceptable
└── Unavailable       not just now: a 5xx
    ├── Throttled     429
    └── Unreachable   no answer, or half of one
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from wherry.cluster.request import Request
from wherry.errors import WherryError

SHOWN_CAUSES = 5
SHOWN_TEXT = 300


class ClusterError(WherryError):
    """retryable: the same question may have another answer soon. retry_after: seconds that the server asks for."""

    retryable = False

    def __init__(self, message: str, *, cure: str = "", retry_after: float | None = None) -> None:
        super().__init__(message, cure=cure)
        self.retry_after = retry_after


class Conflict(ClusterError):
    """A write came in between."""


class Replaced(ClusterError):
    """The object with the uid that was meant is gone; another one may have its name."""


class AlreadyExists(ClusterError):
    """The name is taken."""


class NotFound(ClusterError):
    """No such object, or no such kind in this cluster."""


class Gone(ClusterError):
    """A resource version too old to go on from."""


class Unauthenticated(ClusterError):
    """Credentials that the API server does not take."""


class Forbidden(ClusterError):
    """A permission is missing from our role."""


class Refused(ClusterError):
    """Allowed by the role, denied by something else. terminating: because the namespace is going away."""

    def __init__(self, message: str, *, terminating: bool = False) -> None:
        super().__init__(message)
        self.terminating = terminating


class Invalid(ClusterError):
    """Not acceptable as it is; the message has the API server's causes."""


class Unavailable(ClusterError):
    """The server cannot just now, or cannot be asked."""

    retryable = True


class Throttled(Unavailable):
    """Asked too often."""


class Unreachable(Unavailable):
    """No answer, or half of one. What was asked may have been done."""


def failure(request: Request, status: int, headers: Mapping[str, str], body: bytes) -> ClusterError:
    """From an answer that is not a success."""
    return told(request, status, _status_of(body), _seconds(headers.get("Retry-After")))


def told(request: Request, code: int, said: Mapping[str, Any], retry_after: float | None = None) -> ClusterError:
    """From a Status object (meta/v1); a watch has it as an event in place of an answer."""
    words = f"{request}: {said.get('message') or f'status {code}'}"
    details = said.get("details") or {}
    if retry_after is None and details.get("retryAfterSeconds"):
        retry_after = float(details["retryAfterSeconds"])
    if code in (400, 405, 406, 413, 415, 422) or _is_our_fault(said):
        return Invalid(f"{request}: {_causes(said)}")
    if code == 403:
        return _forbidden(request, said, words)
    if code == 409:
        return _conflict(said, words)
    if code in (429, *range(500, 600)):
        return (Throttled if code == 429 else Unavailable)(words, retry_after=retry_after)
    kinds = {401: Unauthenticated, 404: NotFound, 410: Gone}
    return kinds[code](words) if code in kinds else Refused(words)


def _is_our_fault(said: Mapping[str, Any]) -> bool:
    """Server-side apply answers 500 to a field that the kind does not have."""
    return "failed to create typed patch object" in str(said.get("message", ""))


def _conflict(said: Mapping[str, Any], words: str) -> ClusterError:
    if said.get("reason") == "AlreadyExists":
        return AlreadyExists(words)
    return Replaced(words) if "UID in the precondition" in words else Conflict(words)


def _forbidden(request: Request, said: Mapping[str, Any], words: str) -> ClusterError:
    causes = (said.get("details") or {}).get("causes") or ()
    if any(cause.get("reason") == "NamespaceTerminating" for cause in causes):
        return Refused(words, terminating=True)
    if "cannot" in words and 'User "' in words:
        return Forbidden(words, cure=f"the service account's role must grant {request.permission}")
    return Refused(words)


def _causes(said: Mapping[str, Any]) -> str:
    causes = [each for each in (said.get("details") or {}).get("causes") or () if each.get("field") != "<nil>"]
    shown = [f"{cause.get('field') or 'object'}: {cause.get('message', '')}" for cause in causes[:SHOWN_CAUSES]]
    if len(causes) > SHOWN_CAUSES:
        shown.append(f"and {len(causes) - SHOWN_CAUSES} more")
    return "; ".join(shown) or str(said.get("message") or "not acceptable")


def _status_of(body: bytes) -> Mapping[str, Any]:
    """Something between us and the API server may answer with a page instead."""
    try:
        said = json.loads(body)
    except ValueError:
        said = None
    return said if isinstance(said, dict) else {"message": body[:SHOWN_TEXT].decode(errors="replace").strip()}


def _seconds(header: str | None) -> float | None:
    return float(header) if header and header.isdecimal() else None
