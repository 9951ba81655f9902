"""Wasm pods on a real kubelet with the systemd driver: limits, statistics, kubectl, and what is left afterwards."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.process import WHERRY
from tests.node.kind import KindNode
from tests.node.test_guests import annotated
from tests.node.test_kind import HELLO, in_a_pod, node, succeeded
from tests.support import cluster, guests, oci_images
from tests.support.images import shell
from tests.support.pods import until

__all__ = ["node"]
pytestmark = [pytest.mark.peer, pytest.mark.slow]

HOLD, EATER, SHELL = "wherry.test/hold:v1", "wherry.test/eater:v1", "wherry.test/shell:v1"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
MIB = 1 << 20
TRACES = r"""
find /sys/fs/cgroup -type d -name 'cri-containerd-*' -o -type d -name '*kubepods*-pod*.slice'
cut -d' ' -f5 /proc/self/mountinfo | grep -e wherry -e /run/containerd -e /run/netns
for each in /proc/[0-9]*; do
    read -r name <$each/comm && case $name in *memfd:*|wherry-[aw]*|wherry-holder|[0-9]*) echo $each $name;; esac
done 2>/dev/null
ls -d /run/wherry/????????-????-*/* /run/containerd/io.containerd.runtime.v2.task/k8s.io/*/wherry.undo/* 2>/dev/null
systemctl list-units --all --no-legend --plain 'cri-containerd-*.scope' | cut -d' ' -f1
true
"""


def image_of_shell(node: KindNode, folder: Path) -> None:
    layer, config, manifest = shell().blobs()
    blobs = folder / "shell" / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    for blob in (layer, config, manifest):
        (blobs / oci_images.digest(blob).partition(":")[2]).write_bytes(blob)
    described = oci_images.descriptor(MANIFEST, manifest) | {"annotations": {"io.containerd.image.name": SHELL}}
    (folder / "shell" / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    (folder / "shell" / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [described]}))
    subprocess.run(["tar", "-C", folder / "shell", "-cf", folder / "shell.tar", "."], check=True)
    node.load(folder / "shell.tar")


def loaded(found: KindNode, folder: Path, name: str, wasm: Path) -> None:
    """Give the node an artifact, with our own push."""
    layout, archive = folder / name.partition(":")[0].rpartition("/")[2], folder / "artifact.tar"
    subprocess.run([WHERRY, "push", wasm, f"oci:{layout}:v1"], check=True, capture_output=True)
    subprocess.run(["tar", "-C", layout, "-cf", archive, "."], check=True)
    found.load(archive, "--no-unpack", "--base-name", name.partition(":")[0])


@pytest.fixture(scope="module")
def installed(node: KindNode, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KindNode]:
    """A node with our runtime and the images of this file; pods that a test leaves on it are removed."""
    folder = tmp_path_factory.mktemp("pods")
    loaded(node, folder, HOLD, guests.command("hold"))
    loaded(node, folder, EATER, guests.command_with_dwarf("hostile"))
    image_of_shell(node, folder)
    succeeded(in_a_pod(node, f"wherry-node install --root /host --probe-image {HELLO}"))
    yield node
    succeeded(in_a_pod(node, "wherry-node uninstall --root /host --force"))
    node.exec("ctr", "-n", "k8s.io", "images", "remove", HOLD, EATER, SHELL)


@pytest.fixture
def pods(installed: KindNode) -> Iterator[KindNode]:
    """A test that leaves a scope, a cgroup, a process or a mount on the node fails."""
    before = traces(installed)
    yield installed
    installed.kubectl("delete", "pods", "--selector=app=wherry-test", "--wait", "--timeout=120s")
    until(lambda: traces(installed) <= before, 60)


def traces(node: KindNode) -> set[str]:
    return set(node.exec("sh", "-c", TRACES).splitlines())


def wasm(name: str, image: str, *args: str, **fields: Any) -> dict[str, Any]:
    given = {"command": ["/app.wasm"], "args": list(args)} if args else {"command": ["/app.wasm"]}
    return {"name": name, "image": image, "imagePullPolicy": "Never", **given, **fields}


def sh(name: str, script: str, **fields: Any) -> dict[str, Any]:
    return {"name": name, "image": SHELL, "imagePullPolicy": "Never", "command": ["/bin/sh", "-c", script], **fields}


def pod(node: KindNode, name: str, *containers: dict[str, Any], **given: Any) -> str:
    """Its name. given: `annotations`, and fields of the specification."""
    labels = {"app": "wherry-test"}
    metadata = {"name": name, "labels": labels, "annotations": given.pop("annotations", {})}
    spec = {"nodeName": node.name, "runtimeClassName": "wherry", "restartPolicy": "Never", "containers": containers}
    given = {"terminationGracePeriodSeconds": 5, **given}
    node.apply({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec | given})
    return name


def ready(node: KindNode, name: str) -> None:
    node.kubectl("wait", "--for=condition=Ready", "--timeout=240s", f"pod/{name}")


def status(node: KindNode, name: str) -> Any:
    """Of the first container."""
    return json.loads(node.kubectl("get", "pod", name, "-o", "json"))["status"]["containerStatuses"][0]


def limited(memory: str, cpu: str = "500m") -> dict[str, Any]:
    return {"limits": {"memory": memory, "cpu": cpu}, "requests": {"memory": memory, "cpu": cpu}}


def used(node: KindNode, name: str) -> Any:
    """The kubelet's summary of the pod's first container, once it tells of CPU and memory."""
    said = json.loads(node.kubectl("get", "--raw", f"/api/v1/nodes/{node.name}/proxy/stats/summary"))
    found = [each["containers"] for each in said["pods"] if each["podRef"]["name"] == name and each.get("containers")]
    if not found or "workingSetBytes" not in found[0][0].get("memory", {}) or "cpu" not in found[0][0]:
        return None
    return found[0][0]


def test_the_kubelet_tells_what_a_guest_uses(pods: KindNode) -> None:
    ready(pods, pod(pods, "used", wasm("app", HOLD)))
    found = until(lambda: used(pods, "used"))
    assert MIB // 4 < found["memory"]["workingSetBytes"] < 64 * MIB
    assert 0 < found["cpu"]["usageCoreNanoSeconds"] < 60e9


def test_a_guest_that_takes_too_much_is_oom_killed(pods: KindNode) -> None:
    plan = annotated("wasm-hostile", limits={"memory": 1 << 30}).annotations
    pod(pods, "eater", wasm("app", EATER, "touch", resources=limited("64Mi")), annotations=plan)
    ended = until(lambda: status(pods, "eater")["state"].get("terminated"))
    assert (ended["reason"], ended["exitCode"]) == ("OOMKilled", 137)


def test_limits_change_in_place(pods: KindNode) -> None:
    ready(pods, pod(pods, "resized", wasm("app", HOLD, resources=limited("64Mi"))))
    patch = json.dumps({"spec": {"containers": [{"name": "app", "resources": limited("96Mi", "600m")}]}})
    pods.kubectl("patch", "pod", "resized", "--subresource", "resize", "--patch", patch)
    until(lambda: status(pods, "resized").get("resources", {}).get("limits", {}).get("memory") == "96Mi")
    after = status(pods, "resized")
    assert (after["restartCount"], "running" in after["state"]) == (0, True)
    scope = f"cri-containerd-{after['containerID'].rpartition('/')[2]}.scope"
    assert "MemoryLimit=100663296" in pods.exec("systemctl", "show", scope, "--property=MemoryLimit,MemoryMax")


def test_an_init_container_a_sidecar_and_a_guest_make_a_pod(pods: KindNode) -> None:
    name = "whole"
    volume = {"volumeMounts": [{"name": "shared", "mountPath": "/shared"}]}
    ready(
        pods,
        pod(
            pods,
            name,
            wasm("app", HOLD),
            sh("side", "cat /shared/note; while :; do echo tick; sleep 1; done", **volume),
            initContainers=[sh("first", "echo prepared > /shared/note", **volume)],
            volumes=[{"name": "shared", "emptyDir": {}}],
        ),
    )
    assert pods.kubectl("exec", name, "-c", "side", "--", "/bin/cat", "/shared/note") == "prepared\n"
    assert pods.kubectl("logs", name, "-c", "side").startswith("prepared\n")
    with pytest.raises(AssertionError, match="exec is not supported in a Wasm container"):
        pods.kubectl("exec", name, "-c", "app", "--", "/bin/sh")
    command = [
        str(cluster.programs() / "kubectl"),
        "--context",
        f"kind-{pods.cluster}",
        "logs",
        "-f",
        name,
        "-c",
        "side",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as following:
        assert following.stdout
        assert next(following.stdout) == "prepared\n"
        assert [next(following.stdout) for _ in range(5)] == ["tick\n"] * 5
        following.terminate()


def test_pods_outlive_containerds_restart(pods: KindNode) -> None:
    ready(pods, pod(pods, "kept", wasm("app", HOLD), sh("side", "sleep 3600")))
    pods.exec("systemctl", "restart", "containerd")
    ready(pods, pod(pods, "later", wasm("app", HOLD)))
    found = json.loads(pods.kubectl("get", "pod", "kept", "-o", "json"))["status"]
    assert found["phase"] == "Running"
    assert [each["restartCount"] for each in found["containerStatuses"]] == [0, 0]
    assert pods.kubectl("exec", "kept", "-c", "side", "--", "/bin/true") == ""


@pytest.mark.parametrize("number", ["KILL", "STOP"])
def test_a_zygote_that_answers_no_more_is_started_again(pods: KindNode, number: str) -> None:
    ready(pods, pod(pods, "kept", wasm("app", HOLD)))
    zygote = pods.exec("systemctl", "show", "wherry-zygote", "--property=MainPID", "--value").strip()
    pods.exec("kill", f"-{number}", zygote)
    ready(pods, pod(pods, "later", wasm("app", HOLD)))
    assert pods.exec("systemctl", "show", "wherry-zygote", "--property=MainPID", "--value").strip() != zygote
    assert status(pods, "kept")["restartCount"] == 0
