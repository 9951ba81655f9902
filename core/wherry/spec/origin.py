"""Origins: whom a guest may call by HTTP.

    origin   = scheme "://" host [":" port]        no path, user or query
    scheme   = "http" | "https"
    host     = name | "*." name | IPv4 | "[" IPv6 "]"
    name     = label *("." label)                  its last label starts with a letter: no name is an address

As in a browser's content security policy, `*.example.com` stands for one or more labels: it admits `a.example.com`
and `a.b.example.com`, never `example.com` itself. Unlike there, schemes and ports match exactly. A wildcard has at
least two labels behind it, so that it cannot mean a whole top-level domain. The port is the scheme's own where none is
written.
The normal form is in lower case, without the scheme's own port, with IPv6 as short as RFC 5952 makes it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv6Address
from typing import Literal

from wherry.errors import InvalidValue
from wherry.spec.wording import describe

Scheme = Literal["http", "https"]
DEFAULT_PORTS: dict[str, int] = {"http": 80, "https": 443}
MAX_HOST = 253

_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_LAST = "[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_NAME = rf"(?:{_LABEL}\.)*{_LAST}"
_WILDCARD = rf"\*\.(?:{_LABEL}\.)+{_LAST}"
_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4 = rf"{_OCTET}(?:\.{_OCTET}){{3}}"
_H = "[0-9A-Fa-f]{1,4}"
_IPV6 = "|".join(
    [
        f"(?:{_H}:){{7}}{_H}",
        *(f"(?:{_H}:){{1,{7 - n}}}(?::{_H}){{1,{n}}}" for n in range(1, 7)),
        f"(?:{_H}:){{1,7}}:",
        f":(?:(?::{_H}){{1,7}}|:)",
    ]
)
_PORT = "6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3}"
ORIGIN = rf"[Hh][Tt][Tt][Pp][Ss]?://(?:{_WILDCARD}|{_NAME}|{_IPV4}|\[(?:{_IPV6})\])(?::(?:{_PORT}))?"
MAX_ORIGIN = len("https://") + MAX_HOST + len(":65535")
EXPECTED = "an origin such as https://api.example.com or https://*.example.com:8443"


@dataclass(frozen=True, slots=True)
class Origin:
    """host is in normal form, IPv6 in brackets, without the `*.` of a wildcard."""

    scheme: Scheme
    host: str
    port: int
    wildcard: bool = False

    def admits(self, scheme: str, host: str, port: int) -> bool:
        """Whether a request to `scheme://host:port` may go out. The host is compared without regard to case."""
        if (scheme.lower(), port) != (self.scheme, self.port):
            return False
        asked = _normal_host(host)
        if self.wildcard:
            return asked.endswith("." + self.host) and re.fullmatch(_NAME, asked, re.ASCII) is not None
        return asked == self.host

    def __str__(self) -> str:
        port = "" if self.port == DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{'*.' if self.wildcard else ''}{self.host}{port}"


def parse_origin(text: str) -> Origin:
    """An origin in normal form. Raises InvalidValue."""
    if len(text) > MAX_ORIGIN or not re.fullmatch(ORIGIN, text, re.ASCII):
        raise InvalidValue(describe(text), EXPECTED, cure=_cure(text))
    scheme, rest = text.lower().split("://")
    host, port = _split_port(rest)
    wildcard = host.startswith("*.")
    return Origin(
        scheme="https" if scheme == "https" else "http",
        host=_normal_host(host.removeprefix("*.")),
        port=int(port) if port else DEFAULT_PORTS[scheme],
        wildcard=wildcard,
    )


def _split_port(rest: str) -> tuple[str, str]:
    if rest.endswith("]") or ":" not in rest:
        return rest, ""
    host, _, port = rest.rpartition(":")
    return host, port


def _normal_host(host: str) -> str:
    lowered = host.lower()
    if not lowered.startswith("["):
        return lowered
    try:
        return f"[{IPv6Address(lowered[1:-1])}]"
    except ValueError:
        return lowered


def _cure(text: str) -> str:
    """The nearest origin, when cutting a path or adding a scheme makes one."""
    candidates = [
        re.sub(r"^([a-z]+://[^/?#]*).*", r"\1", text[:MAX_ORIGIN], flags=re.ASCII | re.IGNORECASE | re.DOTALL)
    ]
    if "://" not in text:
        candidates.append("https://" + text[:MAX_ORIGIN].partition("/")[0])
    for candidate in candidates:
        if candidate != text and re.fullmatch(ORIGIN, candidate, re.ASCII):
            return f"try {candidate}"
    return ""
