"""Who we are at a registry: a user given by hand, or entries of Docker-style files that are read because named.

Credential helpers (`credsStore`, `credHelpers`) are never run: a file that may come from elsewhere must not choose a
program. An entry that only a helper could open is remembered, so that the error can say so.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NoReturn

from wherry.errors import InputError
from wherry.oci.reference import DOCKER_HUB, Reference

_HUB_KEYS = frozenset({"index.docker.io", "registry-1.docker.io", "docker.io"})
CONFIG_LIMIT = 1 << 20


@dataclass(frozen=True, slots=True)
class Credential:
    """A user and password, or the identity token that an OAuth2 login left. Never shown."""

    username: str = ""
    password: str = field(default="", repr=False)
    identity_token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Keychain:
    """Credentials by `host[:port][/path]`, where host may have `*` inside a label, as the kubelet matches them.

    everywhere answers for every registry: what the command line was given for the one that it names.
    """

    entries: Mapping[str, Credential] = field(default_factory=dict)
    everywhere: Credential | None = None
    helpers: bool = False

    def credential(self, reference: Reference) -> Credential | None:
        """The most specific entry for a repository; None is anonymous."""
        if self.everywhere:
            return self.everywhere
        keys = self._keys(reference)
        return self.entries[keys[0]] if keys else None

    def _keys(self, reference: Reference) -> list[str]:
        found = [key for key in self.entries if matches(key, reference.host, reference.repository)]
        return sorted(found, key=_specificity, reverse=True)


def joined(keychains: Iterable[Keychain]) -> Keychain:
    """One keychain of several; where two have the same key, the first one's credential counts."""
    chains = [*keychains]
    entries = {key: credential for chain in reversed(chains) for key, credential in chain.entries.items()}
    return Keychain(entries, helpers=any(chain.helpers for chain in chains))


def candidates(keychains: Iterable[Keychain], reference: Reference) -> tuple[Credential, ...]:
    """Every credential that may open a repository, the most specific first and each once.

    The kubelet tries them in this order, because several Secrets may hold different logins for one registry.
    """
    found = [(key, chain.entries[key]) for chain in keychains for key in chain._keys(reference)]
    found.sort(key=lambda pair: _specificity(pair[0]), reverse=True)
    return tuple(dict.fromkeys(credential for _, credential in found))


def matches(key: str, host: str, repository: str) -> bool:
    """Ports are equal, labels match one by one (`*` does not cross a dot), the path is a prefix of whole parts."""
    pattern, _, path = key.partition("/")
    if host == DOCKER_HUB and pattern in _HUB_KEYS:
        path = "" if path in {"v1", "v2"} else path
        pattern = host
    if not _same_host(pattern, host):
        return False
    return not path or repository == path or repository.startswith(f"{path}/")


def _same_host(pattern: str, host: str) -> bool:
    (wanted, _, wanted_port), (name, _, port) = pattern.partition(":"), host.partition(":")
    labels, found = wanted.lower().split("."), name.lower().split(".")
    same = len(labels) == len(found) and all(fnmatchcase(f, w) for f, w in zip(found, labels, strict=True))
    return same and wanted_port == port


def _specificity(key: str) -> tuple[int, int]:
    return -key.partition("/")[0].count("*"), len(key)


def load(path: Path) -> Keychain:
    """A Docker configuration file (`config.json`, or a pull secret's `.dockerconfigjson`). Raises InputError."""
    try:
        with path.open("rb") as file:
            data = file.read(CONFIG_LIMIT + 1)
    except OSError as error:
        raise InputError(f"credentials file {path}: {error.strerror}", cure="name a readable file") from None
    return parse(data, str(path))


def parse(data: bytes, where: str) -> Keychain:
    """Raises InputError naming the entry, and never what is in it."""
    found = _object(data, where)
    auths = found.get("auths", {})
    if not isinstance(auths, dict):
        _refuse(where, "no object with `auths`")
    helpers = bool(found.get("credsStore") or found.get("credHelpers"))
    return Keychain(_entries(auths, f"{where}: auths"), helpers=helpers)


def parse_legacy(data: bytes, where: str) -> Keychain:
    """A `.dockercfg` of before Docker 1.7: the entries without anything around them. Raises as parse."""
    return Keychain(_entries(_object(data, where), where))


def _object(data: bytes, where: str) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        _refuse(where, "no JSON")
    if not isinstance(found, dict):
        _refuse(where, "no object with `auths`")
    return found


def _entries(given: Mapping[str, Any], where: str) -> dict[str, Credential]:
    read = {_key(key): _credential(fields, f"{where}[{key[:80]!r}]") for key, fields in given.items()}
    return {key: credential for key, credential in read.items() if credential}


def _key(key: str) -> str:
    return key.removeprefix("https://").removeprefix("http://").rstrip("/")


def _credential(fields: Any, where: str) -> Credential | None:
    """None for an entry without content, which is how Docker marks one that a helper keeps."""
    if not isinstance(fields, dict):
        _refuse(where, f"a {type(fields).__name__}")
    token, encoded, user, password = (
        _text(fields, name, where) for name in ("identitytoken", "auth", "username", "password")
    )
    if token:
        return Credential(identity_token=token)
    if encoded:
        return _decoded(encoded, where)
    return Credential(user, password) if user else None


def _text(fields: Mapping[str, Any], name: str, where: str) -> str:
    value = fields.get(name) or ""
    if not isinstance(value, str):
        _refuse(f"{where}.{name}", f"a {type(value).__name__}")
    return value


def _decoded(encoded: str, where: str) -> Credential:
    try:
        user, colon, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        colon = ""
    if not colon:
        _refuse(where, "an `auth` that is not base64 of user:password")
    return Credential(user, password.rstrip("\0"))


def _refuse(where: str, found: str) -> NoReturn:
    raise InputError(f"{where}: got {found}, expected a Docker config.json", cure="run the login again")
