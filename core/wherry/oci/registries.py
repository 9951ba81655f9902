"""The registries file: what is not ordinary about a registry, keyed by its host as references write it.

    registry.local:5000: {plainHTTP: true, allowPrivate: true}
    ghcr.io: {endpoint: "https://mirror.example.com", caFile: /etc/ssl/mirror.pem}

One file for CLI, operator and runner. YAML, of which JSON is a part.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import yaml

from wherry.errors import InputError

_ENDPOINT = re.compile(r"(?:(?P<scheme>https?)://)?(?:[A-Za-z0-9.-]+|\[[0-9a-fA-F:.]+\])(?::[0-9]{1,5})?/?")
_FIELDS = {"endpoint": str, "plainHTTP": bool, "caFile": str, "ca": str, "allowPrivate": bool}
_EXPECTED = {str: "a string", bool: "true or false"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One registry. endpoint is "" for the host itself; at most one of ca (PEM) and ca_file is set."""

    endpoint: str = ""
    plain_http: bool = False
    ca: str = ""
    ca_file: Path | None = None
    allow_private: bool = False


Registries = Mapping[str, Entry]


def load(path: Path) -> Registries:
    """Raises InputError: the file cannot be read or is wrong."""
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not text"
        raise InputError(f"registries file {path}: {reason}", cure="name a readable YAML file") from None
    return parse(text, str(path))


def parse(text: str, where: str) -> Registries:
    """Raises InputError naming the field."""
    try:
        found = yaml.safe_load(text) or {}
    except (yaml.YAMLError, RecursionError) as error:
        _refuse(where, f"no YAML ({str(error).splitlines()[0]})", "host: {endpoint, plainHTTP, …}")
    if not isinstance(found, dict):
        _refuse(where, type(found).__name__, "a mapping of hosts")
    return {_host(host, where): _entry(fields, f"{where}: {host}") for host, fields in found.items()}


def dump(registries: Registries) -> str:
    """The text of a file that says the same on any machine, its CAs inline. Raises InputError for one that is lost."""
    return json.dumps({host: _fields(entry, host) for host, entry in registries.items()}, sort_keys=True)


def _fields(entry: Entry, host: str) -> dict[str, str | bool]:
    """Only what is not as ever."""
    given: dict[str, str | bool] = {"endpoint": entry.endpoint, "plainHTTP": entry.plain_http}
    given |= {"ca": _ca(entry, host), "allowPrivate": entry.allow_private}
    return {name: value for name, value in given.items() if value}


def _ca(entry: Entry, host: str) -> str:
    try:
        return entry.ca_file.read_text() if entry.ca_file else entry.ca
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not text"
        raise InputError(f"caFile of {host} {entry.ca_file}: {reason}", cure="mend the registries file") from None


def _host(host: object, where: str) -> str:
    if not isinstance(host, str) or "/" in host or not host:
        _refuse(where, f"the host {host!r}", "a host as references write it, such as ghcr.io or localhost:5000")
    return host


def _entry(fields: object, where: str) -> Entry:
    if not isinstance(fields, dict):
        _refuse(where, type(fields).__name__, "a mapping")
    for name, value in fields.items():
        _check(name, value, where)
    if fields.get("ca") and fields.get("caFile"):
        _refuse(where, "both ca and caFile", "one of them")
    endpoint, plain = fields.get("endpoint", ""), fields.get("plainHTTP", False)
    _check_endpoint(endpoint, plain, where)
    ca_file = Path(fields["caFile"]) if fields.get("caFile") else None
    return Entry(endpoint, plain, fields.get("ca", ""), ca_file, fields.get("allowPrivate", False))


def _check(name: Any, value: object, where: str) -> None:
    kind = _FIELDS.get(name)
    if kind is None:
        _refuse(where, f"the field {name!r}", f"one of {', '.join(_FIELDS)}")
    if not isinstance(value, kind):
        _refuse(f"{where}.{name}", repr(value)[:60], _EXPECTED[kind])


def _check_endpoint(endpoint: str, plain: bool, where: str) -> None:
    found = _ENDPOINT.fullmatch(endpoint) if endpoint else None
    if endpoint and found is None:
        _refuse(f"{where}.endpoint", repr(endpoint)[:80], "host[:port], with https:// or http:// before it if you like")
    if found and found["scheme"] == "http" and not plain:
        _refuse(f"{where}.endpoint", "http:// without plainHTTP", "plainHTTP: true beside it")
    if found and found["scheme"] == "https" and plain:
        _refuse(f"{where}.plainHTTP", "true beside an https:// endpoint", "one of the two")


def _refuse(where: str, found: str, expected: str) -> NoReturn:
    raise InputError(f"{where}: got {found}, expected {expected}", cure="mend the registries file")
