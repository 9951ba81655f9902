"""What each containerd makes of the contract's Pod by CRI, beside what a kubelet made of it (test_kind_road.py)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support import contract, images
from tests.support.containerd import Containerd
from tests.support.cri_configs import ContainerSpec, Mounted, PodSpec
from tests.support.zygote import Zygote
from wherry.oci.digest import digest_of

pytestmark = [pytest.mark.peer, pytest.mark.slow]


def test_a_bundle_is_what_was_captured(node: Containerd, origin: Zygote, version: str, tmp_path: Path) -> None:
    """With an environment variable WRITE_CONTRACT it is written anew."""
    document = contract.pod(images.reference("wasm-hello"), digest_of(images.WASM["wasm-hello"]().read_bytes()))
    (tmp_path / "data").mkdir()
    asked = document["spec"]["containers"][0]
    spec = ContainerSpec(
        asked["image"],
        tuple(asked["command"]),
        tuple(asked["args"]),
        env={each["name"]: each["value"] for each in asked["env"]},
        mounts=(Mounted(tmp_path / "data", "/data"),),
        memory=128 << 20,
        uid=65532,
        gid=65532,
        drop_capabilities=("ALL",),
        read_only=True,
    )
    pod = node.run(PodSpec("hello", annotations=document["metadata"]["annotations"]), "wherry")
    container = pod.start(spec)
    bundle = node.settings.state / "io.containerd.runtime.v2.task" / "k8s.io" / container.id
    contract.check(f"config-cri-{version}.json", json.loads((bundle / "config.json").read_text()))
