"""Which installed distributions Wherry needs on a node, and which of their files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import metadata, util
from pathlib import Path, PurePath

from wherry_shim.node.fault import NodeError
from wherry_shim.node.interpreter import Piece, library

ROOT = "wherry"
EXTRAS = frozenset({"engine", "shim"})
PACKAGES = ("wherry", "wherry_shim")
"""Our packages on a node: the command line for people is not among them, nor what only that needs."""
_ONLY_FOR_PEOPLE = frozenset({"rich"})
_ONLY_FOR_CLUSTERS = PurePath("wherry", "cluster")
"""Asks the API server, which nothing on a node does but the agent, from its own image."""

_REQUIREMENT = re.compile(r"(?P<name>[\w.-]+)\s*(?:\[(?P<extras>[^\]]*)\])?[^;]*(?:;(?P<marker>.*))?", re.DOTALL)
_EXTRA = re.compile(r"""extra\s*==\s*["']([\w.-]+)["']""")
_WITHOUT_SUFFIX = frozenset([".pyi", ".pyx", ".pxd", ".pxi", ".c", ".h", ".pyc"])
_WITHOUT_FOLDER = frozenset({"test", "tests", "__pycache__", "include"})
_WITHOUT_RECORD = frozenset({"RECORD", "INSTALLER", "REQUESTED", "direct_url.json"})
"""What an installer wrote about this machine."""


def needed(root: str = ROOT, extras: frozenset[str] = EXTRAS) -> list[metadata.Distribution]:
    """The distribution and all that it requires with these extras, sorted by name.

    Raises NodeError when one that is always required is not installed.
    """
    found: dict[str, metadata.Distribution] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    waiting = [(root, extras)]
    while waiting:
        name, wanted = waiting.pop()
        if (name, wanted) not in seen:
            seen.add((name, wanted))
            found[name] = _installed(name)
            waiting += _requirements(found[name], wanted)
    return [found[name] for name in sorted(found)]


def pieces(distribution: metadata.Distribution) -> Iterator[Piece]:
    """The files of one distribution that a node needs. Our own packages come from wherever they are imported from."""
    site = library() / "site-packages"
    ours = _normal(distribution.name) == ROOT
    for file in distribution.files or ():
        wanted = ".dist-info" in file.parts[0] if ours else ".." not in file.parts
        if wanted and _belongs(file):
            yield Piece(Path(str(file.locate())), site / file)
    if ours:
        yield from _packages(site)


def _installed(name: str) -> metadata.Distribution:
    # A source folder on the path may hold metadata of a build, which lists no files that are installed.
    for distribution in metadata.distributions(name=name):
        if distribution.read_text("RECORD"):
            return distribution
    cure = f"pip install '{ROOT}[{','.join(sorted(EXTRAS))}]'"
    raise NodeError(f"{name} is not installed beside this Python", cure=cure)


def _requirements(distribution: metadata.Distribution, extras: frozenset[str]) -> Iterator[tuple[str, frozenset[str]]]:
    for text in distribution.requires or ():
        if (found := _REQUIREMENT.match(text)) is None or _normal(found["name"]) in _ONLY_FOR_PEOPLE:
            continue
        if _applies(found["name"], found["marker"] or "", extras):
            yield _normal(found["name"]), frozenset(filter(None, map(str.strip, (found["extras"] or "").split(","))))


def _applies(name: str, marker: str, extras: frozenset[str]) -> bool:
    if (extra := _EXTRA.search(marker)) and extra[1] not in extras:
        return False
    # A marker's condition on the platform was evaluated by the installer: what it left out is not needed.
    return not _EXTRA.sub("", marker).strip(" ()") or _is_installed(name)


def _is_installed(name: str) -> bool:
    return any(metadata.distributions(name=name))


def _packages(site: PurePath) -> Iterator[Piece]:
    for package in PACKAGES:
        spec = util.find_spec(package)
        if spec is None or not spec.submodule_search_locations:
            raise NodeError(f"the package {package} is not installed", cure="pip install 'wherry[engine,shim]'")
        root = Path(spec.submodule_search_locations[0])
        for path in sorted(root.rglob("*")):
            inside = package / path.relative_to(root)
            if path.is_file() and _belongs(inside) and _ONLY_FOR_CLUSTERS not in inside.parents:
                yield Piece(path, site / inside)


def _belongs(file: PurePath) -> bool:
    return (
        file.suffix not in _WITHOUT_SUFFIX
        and file.name not in _WITHOUT_RECORD
        and not _WITHOUT_FOLDER.intersection(file.parts)
    )


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
