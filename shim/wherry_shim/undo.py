"""What a container leaves on the node, written down before it is made: `<sandbox's bundle>/wherry.undo/<container>`.

The host that runs the container removes it in its own way, and the list. When the host is gone, the launcher's `delete`
goes by it. The lists of a pod lie together, because containerd 2.3 removes the bundles of the other containers and
calls `delete` for the sandbox alone. One line for each thing:

    cgroup <folder>            kill what is in it and below it, remove it
    runc <state> <program>     `runc delete --force`
    mount <path>               unmount
    file <path>                remove
    folder <path>              remove if it is empty
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from wherry.errors import StartError
from wherry_shim.grouping import pod_of

_NAME = "wherry.undo"


def write(bundle: Path, lines: Iterable[str]) -> None:
    """Before anything of it is made. Raises OSError."""
    target = bundle.parent / pod_of(bundle, bundle.name) / _NAME
    target.mkdir(exist_ok=True)
    (target / bundle.name).write_text("".join(f"{line}\n" for line in lines))


def forget(bundle: Path) -> None:
    """All of it is removed."""
    for path in _lists(bundle):
        path.unlink(missing_ok=True)


def _lists(bundle: Path) -> Iterable[Path]:
    """Where the list of this container is: its bundle, which says in which pod it is, may be gone."""
    with suppress(OSError, StartError):
        return [bundle.parent / pod_of(bundle, bundle.name) / _NAME / bundle.name]
    return bundle.parent.glob(f"*/{_NAME}/{bundle.name}")
