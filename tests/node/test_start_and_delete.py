"""The launcher, called by real containerds: both protocols of `start`, and a node whose zygote does not run."""

from __future__ import annotations

import json

import pytest

from tests.support import images, processes
from tests.support.containerd import Containerd
from tests.support.cri import CriError
from tests.support.cri_configs import ContainerSpec, PodSpec
from tests.support.pods import until

pytestmark = [pytest.mark.peer, pytest.mark.slow]

GUEST = ContainerSpec(images.reference("wasm-hold"), command=("/app.wasm",))
SIDECAR = ContainerSpec(images.reference("httpd"), name="web")
BUNDLES = "state/io.containerd.runtime.v2.task/k8s.io"


def test_each_containerd_is_answered_in_the_newest_protocol_that_it_speaks(node: Containerd, version: str) -> None:
    node.start_zygote()
    pod = node.run(PodSpec("pod"), "wherry")
    bundle = node.folder / BUNDLES / pod.id
    address = (bundle / "address").read_text()
    assert address.startswith(f"unix://{node.zygote.state}/hosts/")
    if version == "2.3":
        told = json.loads((bundle / "bootstrap.json").read_text())
        assert (told["version"], told["protocol"], told["address"]) == (3, "ttrpc", address)
    else:
        assert not (bundle / "bootstrap.json").exists() or '"version":2' in (bundle / "bootstrap.json").read_text()


def test_a_pod_on_a_node_without_zygote_is_told_what_to_start(node: Containerd) -> None:
    node.zygote.end()
    with pytest.raises(CriError, match=r"the zygote does not run .*; start wherry-zygote.service"):
        node.run(PodSpec("early"), "wherry")
    node.start_zygote()
    assert node.run(PodSpec("late"), "wherry").start(GUEST).status().state == "running"


def test_a_host_is_cleaned_up_after_while_no_zygote_runs(node: Containerd) -> None:
    node.start_zygote(WHERRY_PODS_PER_HOST="1", WHERRY_LINGER="1")
    pod = node.run(PodSpec("pod"), "wherry")
    for each in (GUEST, SIDECAR):
        pod.start(each)
    host = processes.host(node, pod)
    node.zygote.end()
    processes.kill(host)
    until(lambda: not pod.ready)
    node.purge()
    until(lambda: all(f"-{host}" in line for line in node.leftovers()))  # the host's folder: for the next zygote
    assert node.leftovers()
    node.start_zygote()
    node.wait_until_clean()
