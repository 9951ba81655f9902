"""What whoever runs the operator decides: one frozen value, read once from the environment.

A chart gives these as a ConfigMap; the registries file and the policy are files, because they are documents.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from wherry.errors import InputError

PREFIX = "WHERRY_"


def _text(value: str) -> str:
    return value


def _words(value: str) -> tuple[str, ...]:
    return tuple(value.replace(",", " ").split())


def _count(value: str) -> int:
    number = int(value)
    if not 1 <= number <= 1000:
        raise ValueError
    return number


def _port(value: str) -> int:
    number = int(value)
    if not 0 <= number <= 65535:
        raise ValueError
    return number


def _switch(value: str) -> bool:
    return {"true": True, "false": False}[value.lower()]


def _format(value: str) -> str:
    return {"text": "text", "json": "json"}[value]


def _level(value: str) -> str:
    return {"debug": "DEBUG", "info": "INFO", "warning": "WARNING", "error": "ERROR"}[value.lower()]


def _file(value: str) -> Path | None:
    return Path(value) if value else None


def setting(read: Callable[[str], Any], doc: str, expected: str, default: Any) -> Any:
    """A field that an environment variable fills in. read: raises ValueError or KeyError for what is not `expected`."""
    return field(default=default, metadata={"read": read, "doc": doc, "expected": expected})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Each field is read from WHERRY_ and its name in capitals."""

    namespaces: tuple[str, ...] = setting(
        _words, "Namespaces to serve; the whole cluster when empty.", "names with commas between them", ()
    )
    workers: int = setting(_count, "Passes over different apps at once.", "a number from 1 to 1000", 16)
    transfers: int = setting(
        _count, "Artifacts that are looked at in registries at once.", "a number from 1 to 1000", 16
    )
    registries: Path | None = setting(_file, "The registries file.", "a path", None)
    policy: Path | None = setting(
        _file, "The policy: who must have signed artifacts of which registries.", "a path", None
    )
    runner_image: str = setting(_text, "Image that runs apps with `executor: container`.", "an image", "")
    always_pull: bool = setting(
        _switch,
        "Whether kubelets ask the registry at every start: who may not pull an artifact cannot use another's copy.",
        "true or false",
        False,
    )
    watch_secrets: bool = setting(
        _switch, "Whether a changed Secret rolls its apps out; needs list and watch on Secrets.", "true or false", True
    )
    leader_election: bool = setting(_switch, "Whether replicas agree on one that acts.", "true or false", True)
    operator_namespace: str = setting(_text, "Where the operator runs.", "a namespace", "wherry-system")
    identity: str = setting(_text, "Name of this process among its replicas; its Pod's name.", "a name", "")
    scratch: Path | None = setting(
        _file, "Folder for artifacts while they are looked at; 256 MiB for each transfer.", "a path", None
    )
    port: int = setting(_port, "Port of /metrics, /healthz and /readyz; 0 for none.", "a port", 8080)
    log_format: str = setting(_format, "Form of the log.", "text or json", "json")
    log_level: str = setting(_level, "How much is logged.", "debug, info, warning or error", "INFO")


def load(environ: Mapping[str, str]) -> Settings:
    """Raises InputError with every wrong variable."""
    values: dict[str, Any] = {}
    faults: list[str] = []
    for each in fields(Settings):
        name = PREFIX + each.name.upper()
        try:
            if name in environ:
                values[each.name] = each.metadata["read"](environ[name].strip())
        except (ValueError, KeyError):
            faults.append(f"{name}: got {environ[name][:60]!r}, expected {each.metadata['expected']}")
    if faults:
        raise InputError("\n".join(faults), cure="mend the operator's environment")
    return Settings(**values)
