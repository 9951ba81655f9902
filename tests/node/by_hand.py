"""`python -m tests.node.by_hand [1.7|2.3]`: the registry and the containerd of the tests, to be looked at by hand.

Prints what to export for crictl, and runs until it is interrupted.
"""

from __future__ import annotations

import contextlib
import signal
import sys
import tempfile
from pathlib import Path

from tests.support import cluster, images
from tests.support.containerd import containerd
from tests.support.registry import registry


def main(version: str) -> None:
    with tempfile.TemporaryDirectory() as folder, registry(Path(folder)) as server:
        images.fill(server.host, Path(folder) / "cache")
        with containerd(version, {images.HOST: server.host}, images.PAUSE) as node:
            for name in (*images.NATIVE, *images.WASM, images.TAR):
                node.cri.pull(images.reference(name))
            print(f"export PATH={cluster.programs()}:$PATH CONTAINER_RUNTIME_ENDPOINT=unix://{node.settings.socket}")
            print(f"# log: {node.folder}/containerd.log; pods' cgroup parent: {node.cgroup_parent}", flush=True)
            with contextlib.suppress(KeyboardInterrupt):
                signal.pause()


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    main(sys.argv[1] if len(sys.argv) > 1 else "2.3")
