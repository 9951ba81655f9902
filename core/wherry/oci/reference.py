"""Registry references: `host[:port]/repository[:tag][@sha256:…]`, by the grammar of the distribution-spec.

A name without a host means Docker Hub, exactly where Docker takes it so; nothing else is rewritten.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import NoReturn

from wherry.errors import InvalidReference
from wherry.oci.digest import is_digest

REFERENCE_LIMIT = 512
"""Characters of a whole reference."""
NAME_LIMIT = 255
"""Characters of host and repository together (distribution-spec §Pulling manifests)."""
DEFAULT_TAG = "latest"
DOCKER_HUB = "docker.io"

_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_HOST = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9a-fA-F:.]+\])(?::(?P<port>[0-9]{{1,5}}))?")


@dataclass(frozen=True, slots=True)
class Reference:
    """One artifact of a registry. host is as written (`docker.io` when left out); tag and digest are "" when absent.

    At least one of tag and digest is set; the digest counts when both are.
    """

    host: str
    repository: str
    tag: str = ""
    digest: str = ""

    @property
    def name(self) -> str:
        """Host and repository, which is what a signature is for."""
        return f"{self.host}/{self.repository}"

    @property
    def target(self) -> str:
        """What to ask the registry for: the digest, else the tag."""
        return self.digest or self.tag

    def pinned(self, digest: str) -> Reference:
        """The same repository at one digest."""
        return replace(self, tag="", digest=digest)

    def __str__(self) -> str:
        return self.name + (f":{self.tag}" if self.tag else "") + (f"@{self.digest}" if self.digest else "")


def parse(text: str) -> Reference:
    """Raises InvalidReference, which says what part is wrong."""
    if len(text) > REFERENCE_LIMIT:
        _refuse(text, f"{len(text)} characters", f"at most {REFERENCE_LIMIT}")
    name, at, digest = text.partition("@")
    if at and not is_digest(digest):
        _refuse(text, f"the digest {digest[:80]!r}", "sha256: and 64 lower-case hex characters")
    name, tag = _split_tag(name)
    if tag is not None and not _TAG.fullmatch(tag):
        _refuse(text, f"the tag {tag[:140]!r}", "up to 128 of A-Z a-z 0-9 _ . -, not beginning with . or -")
    host, repository = _split_host(name)
    _check_host(text, host)
    _check_repository(text, host, repository)
    return Reference(host, repository, tag or ("" if digest else DEFAULT_TAG), digest)


def pinned(text: str, digest: str) -> str:
    """A reference at one digest, with host and repository exactly as they were written. Raises InvalidReference."""
    parse(text)
    name, _ = _split_tag(text.partition("@")[0])
    return f"{name}@{digest}"


def is_host(text: str) -> bool:
    """Whether the first part of a name is a host and not a folder of Docker Hub, by Docker's rule."""
    return "." in text or ":" in text or text == "localhost" or text != text.lower()


def _split_tag(name: str) -> tuple[str, str | None]:
    head, colon, tag = name.rpartition(":")
    return (name, None) if not colon or "/" in tag else (head, tag)


def _split_host(name: str) -> tuple[str, str]:
    first, slash, rest = name.partition("/")
    if slash and is_host(first):
        host, repository = first, rest
    else:
        host, repository = DOCKER_HUB, name
    if host in {DOCKER_HUB, f"index.{DOCKER_HUB}"}:
        host = DOCKER_HUB
        repository = repository if "/" in repository else f"library/{repository}"
    return host, repository


def _check_host(text: str, host: str) -> None:
    found = _HOST.fullmatch(host)
    if not found:
        _refuse(text, f"the registry {host[:80]!r}", "host or host:port")
    if found["port"] and not 0 < int(found["port"]) < 1 << 16:
        _refuse(text, f"the port {found['port']}", "1 to 65535")


def _check_repository(text: str, host: str, repository: str) -> None:
    if len(host) + 1 + len(repository) > NAME_LIMIT:
        _refuse(text, f"a name of {len(host) + 1 + len(repository)} characters", f"at most {NAME_LIMIT}")
    if not _REPOSITORY.fullmatch(repository):
        _refuse(text, f"the repository {repository[:80]!r}", "lower-case parts of a-z 0-9 . _ - between slashes")


def _refuse(text: str, found: str, expected: str) -> NoReturn:
    raise InvalidReference(
        f"reference {text[:80]!r}: got {found}, expected {expected}",
        cure="write host/repository:tag, oci:folder:tag, or a file as ./app.wasm",
    )
