"""critest, the kubelet's own tests of a runtime, for one handler: what passed, failed and was skipped, as JSON.

python -m tests.node.critest run HANDLER RESULT [--containerd 2.3] [--focus REGEX]
python -m tests.node.critest compare REFERENCE RESULT
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tests.support import cluster, critest_images, images, programs
from tests.support.containerd import Containerd, containerd
from tests.support.registry import registry

Results = Mapping[str, str]
"""`passed`, `failed` or `skipped` by the full name of a spec."""
PATIENCE = 1800.0


def run(version: str, handler: str, focus: str = "", log: Path | None = None) -> Results:
    """Every spec, on a containerd of its own. focus: a regular expression for their names. log: for critest's words."""
    with tempfile.TemporaryDirectory() as folder, registry(Path(folder)) as server:
        images.fill(server.host, Path(folder) / "cache")
        critest_images.fill(server.host)
        registries = dict.fromkeys((images.HOST, *critest_images.HOSTS), server.host)
        with containerd(version, registries, images.PAUSE, runc_binary=lenient_runc()) as node:
            if handler.startswith("wherry"):
                node.start_zygote()
            return _ran(node, handler, focus, log or Path(folder) / "critest.log")


def lenient_runc() -> Path | None:
    """A runc that goes without CAP_SYS_RESOURCE: privileged containers ask for it, and root may have none."""
    path = cluster.programs() / "runc-less"
    return path if path.exists() else None


def _ran(node: Containerd, handler: str, focus: str, log: Path) -> Results:
    report, settings = node.folder / "critest.json", node.folder / "crictl.yaml"
    settings.write_text("")
    command = [
        str(programs.tool("critest")),
        f"--config={settings}",
        f"--runtime-endpoint=unix://{node.settings.socket}",
        f"--image-endpoint=unix://{node.settings.socket}",
        f"--runtime-handler={handler}",
        f"--ginkgo.focus={focus}",
        f"--ginkgo.json-report={report}",
        "--ginkgo.no-color",
    ]
    with log.open("wb") as words:
        subprocess.run(command, stdout=words, stderr=words, timeout=PATIENCE, check=False, cwd=node.folder)
    return results(json.loads(report.read_text()))


def results(report: object) -> Results:
    """From ginkgo's JSON report."""
    assert isinstance(report, list)
    specs = (spec for suite in report for spec in suite["SpecReports"] or () if spec["LeafNodeType"] == "It")
    return {" ".join([*(spec["ContainerHierarchyTexts"] or ()), spec["LeafNodeText"]]): _state(spec) for spec in specs}


def _state(spec: Mapping[str, str]) -> str:
    return spec["State"] if spec["State"] in {"passed", "skipped"} else "failed"


def worse(reference: Results, result: Results) -> list[str]:
    """Specs that pass with the reference and not with the other."""
    return sorted(name for name, state in reference.items() if state == "passed" and result.get(name) != "passed")


def main() -> int:
    parser = argparse.ArgumentParser(prog="critest", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    running = verbs.add_parser("run")
    running.add_argument("handler")
    running.add_argument("result", type=Path)
    running.add_argument("--containerd", default="2.3", choices=programs.VERSIONS)
    running.add_argument("--focus", default="")
    comparing = verbs.add_parser("compare")
    comparing.add_argument("reference", type=Path)
    comparing.add_argument("result", type=Path)
    given = parser.parse_args()
    if given.verb == "compare":
        names = worse(*(json.loads(path.read_text()) for path in (given.reference, given.result)))
        print(*names, sep="\n")
        return int(bool(names))
    found = run(given.containerd, given.handler, given.focus, given.result.with_suffix(".log"))
    given.result.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
    for state in ("passed", "failed", "skipped"):
        print(state, sum(each == state for each in found.values()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
