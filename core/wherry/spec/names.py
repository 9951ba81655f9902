"""The grammars of Kubernetes' names, as shapes."""

from __future__ import annotations

from wherry.spec.shape import Integer, Text

_LABEL = "[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(?:\.{_LABEL})*"
GRAPHIC = r"[^\x00-\x20\x7f]+"
"""Neither blanks nor control characters."""
_SEGMENT = r"(?:[^./:\x00-\x1f][^/:\x00-\x1f]*|\.[^./:\x00-\x1f][^/:\x00-\x1f]*|\.\.[^/:\x00-\x1f]+)"

APP_NAME = Text(
    "an RFC 1035 label of at most 52 characters: a-z, 0-9 and -, first a letter",
    "[a-z](?:[-a-z0-9]{0,50}[a-z0-9])?",
    most=52,
)
"""52 leaves room for what a CronJob appends."""
LABEL = Text("an RFC 1123 label: a-z, 0-9 and -", _LABEL, most=63)
SUBDOMAIN = Text("a name: labels of a-z, 0-9 and - with dots between them", _SUBDOMAIN, most=253)
HOSTNAME = Text("a host name such as shop.example.com or *.example.com", rf"(?:\*\.)?{_SUBDOMAIN}", most=253)
KEY = Text("a key: letters, digits, -, _ and .", "[-._a-zA-Z0-9]+", most=253)
ENV_NAME = Text("a name of letters, digits, -, _ and ., not first a digit", "[-._a-zA-Z][-._a-zA-Z0-9]*", most=256)
DIGEST = Text("sha256: and 64 hexadecimal digits", "sha256:[0-9a-f]{64}", most=71)
REFERENCE = Text("a reference such as ghcr.io/acme/hello:v1", GRAPHIC, least=1, most=1024)
ABSOLUTE_PATH = Text("an absolute path without .., //, : or a / at its end", f"(?:/{_SEGMENT})+", most=1024)
TIME_ZONE = Text(
    "a time zone such as Europe/Berlin", "[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+)*", most=64, but=("Local",)
)
PORT = Integer(1, 65535)
