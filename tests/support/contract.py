"""What crosses the border between operator, kubelet, containerd and shim, as files: tests/contract.

The files are captured from the real parts, with what differs from run to run replaced. WRITE_CONTRACT=1 captures anew.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent.parent / "contract"
_DIFFERS = (
    (re.compile(r"\b[0-9a-f]{64}\b"), "<id>"),
    (re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "<uid>"),
    (re.compile(r"[0-9a-f]{8}(_[0-9a-f]{4}){3}_[0-9a-f]{12}\b"), "<uid>"),
    (re.compile(r"/proc/\d+/"), "/proc/<pid>/"),
    (re.compile(r"(containers/app/)[0-9a-f]{8}\b"), r"\1<hash>"),
    (re.compile(r"/wherry-\w+/pods\b"), "/<parent>"),
    (re.compile(r"/tmp/wherry-\w+/(root|state)\b"), "/<containerd>"),
    (re.compile(r"/tmp/pytest-of-[^\"]+/"), "/<folder>/"),
)
_MACHINES = ("uidMappings", "seccomp", "resources", "maskedPaths", "readonlyPaths")
"""Parts of `linux` that a kernel and a distribution decide."""


def pod(image: str, wasm: str) -> dict[str, Any]:
    """pod.yaml with the image and the digest of its Wasm."""
    document: dict[str, Any] = yaml.safe_load((FOLDER / "pod.yaml").read_text())
    annotations = document["metadata"]["annotations"]
    annotations["plan.wherry.dev/app"] = re.sub(r"sha256:[0-9a-f]{64}", wasm, annotations["plan.wherry.dev/app"])
    document["spec"]["containers"][0]["image"] = image
    return document


def config(name: str) -> dict[str, Any]:
    """A captured config.json."""
    document: dict[str, Any] = json.loads((FOLDER / name).read_text())
    return document


def check(name: str, captured: dict[str, Any]) -> None:
    """What was captured now is what was captured before."""
    text = stable(captured)
    if os.environ.get("WRITE_CONTRACT"):
        (FOLDER / name).write_text(text)
    assert text == (FOLDER / name).read_text(), f"{name} differs: WRITE_CONTRACT=1 writes it anew"


def stable(captured: dict[str, Any]) -> str:
    """As JSON, with ids replaced and without what the machine decides."""
    linux = {key: value for key, value in captured["linux"].items() if key not in _MACHINES}
    # A kubelet tells of services in no order.
    env = sorted(captured["process"]["env"], key=lambda each: each if each.startswith("KUBERNETES_") else "")
    process = {**captured["process"], "env": env}
    text = json.dumps({**captured, "linux": linux, "process": process}, indent=1, sort_keys=True)
    digest = re.compile(r"sha256:[0-9a-f]{64}")
    kept = dict(zip((f"<digest {i}>" for i in range(100)), dict.fromkeys(digest.findall(text)), strict=False))
    for mark, each in kept.items():
        text = text.replace(each, mark)
    for pattern, mark in _DIFFERS:
        text = pattern.sub(mark, text)
    for mark, each in kept.items():
        text = text.replace(mark, each)
    return text + "\n"
