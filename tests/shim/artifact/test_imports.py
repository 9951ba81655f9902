"""All of the chain is imported before a process gives up its view of the node: nothing can be imported after that."""

from __future__ import annotations

import subprocess
import sys

from tests.architecture.tree import ROOT

USE = """
import sys, tempfile
from pathlib import Path
from tests.support import artifacts
from tests.support.content_store import Pulled, Records
from wherry.errors import StartError
from wherry_shim.artifact import chain, containerd, node, prewarm, rootfs

pulled = Pulled(Path(tempfile.mkdtemp()))
(pulled.folder / "rootfs").mkdir()
(pulled.folder / "rootfs" / "app.wasm").write_bytes(artifacts.MODULE)
nobody = containerd.Containerd("/nowhere", "k8s.io")
tasks = [pulled.task(image) for image in (
    pulled.pull(artifacts.cncf()), pulled.pull(artifacts.compat()), pulled.pull(artifacts.runwasi()), "hello:v1", "::",
)]
before = set(sys.modules)
for task in tasks:
    try:
        chain.planned(task, pulled.node, nobody)
    except StartError as error:
        str(error)
print(*sorted(set(sys.modules) - before))
"""


def test_finding_an_artifact_imports_nothing() -> None:
    result = subprocess.run([sys.executable, "-c", USE], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout.split() == []
