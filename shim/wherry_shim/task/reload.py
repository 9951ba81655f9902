"""What containerd needs in a container's bundle to take it up again after its own restart."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

_LAUNCHER = "shim-binary-path"


def remember_launcher(bundle: Path, sandbox: str) -> None:
    """Where the launcher lies, as containerd wrote it for the pod's sandbox.

    containerd 2 forgets it for the pod's other containers. Where the table names it by `runtime_path` and it is not in
    PATH, a restart then takes them for lost (github.com/containerd/containerd/issues/10811). Raises OSError.
    """
    with suppress(FileNotFoundError, FileExistsError):
        path = (bundle.parent / sandbox / _LAUNCHER).read_bytes()
        with (bundle / _LAUNCHER).open("xb") as file:
            file.write(path)
