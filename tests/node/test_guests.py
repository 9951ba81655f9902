"""Wasm containers on real containerds: what a user of kubectl sees of them."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.support import images
from tests.support.containerd import Containerd
from tests.support.cri import CriError
from tests.support.cri_configs import ContainerSpec, Mounted, PodSpec
from tests.support.pods import Container, Pod, until
from tests.support.zygote import Zygote
from wherry.oci.digest import digest_of

pytestmark = [pytest.mark.peer, pytest.mark.slow, pytest.mark.usefixtures("origin")]


def guest(image: str, *args: str, **given: Any) -> ContainerSpec:
    return ContainerSpec(images.reference(image), command=("/app.wasm",), args=args, **given)


def annotated(name: str, run: str = "command", **plan: Any) -> PodSpec:
    """A pod whose container `app` runs this artifact as the operator would have it."""
    wasm = digest_of(images.WASM[name]().read_bytes())
    limits = {"memory": 128 << 20, "timeout": 30.0 if run == "http" else None, "fuel": None, "concurrency": 4}
    http = {"http": {"port": 8080, "drain": 2.0}} if run == "http" else {}
    text = json.dumps({"v": 1, "run": run, "wasm": wasm, **http, "limits": limits | plan.pop("limits", {}), **plan})
    return PodSpec("web", annotations={"plan.wherry.dev/app": text})


def get(address: str) -> str:
    with urllib.request.urlopen(f"http://{address}:8080/", timeout=30) as response:
        return str(response.read().decode())


def listens(address: str) -> bool:
    try:
        get(address)
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


@pytest.fixture
def pod(node: Containerd, origin: Zygote) -> Pod:
    return node.run(PodSpec("app"), "wherry")


def run(pod: Pod, *args: str, **given: Any) -> Container:
    return pod.start(guest(*args, **given))


def test_a_command_writes_its_log_and_ends_with_its_own_code(pod: Pod) -> None:
    container = run(pod, "wasm-exit", "42")
    ended = container.ended()
    assert (ended.exit_code, ended.reason) == (42, "Error")


def test_arguments_are_the_pods_and_the_first_is_the_same_everywhere(pod: Pod) -> None:
    container = run(pod, "wasm-echo", "one", "two words")
    assert container.ended().exit_code == 0
    assert container.out().splitlines()[:3] == ["arg /app.wasm", "arg one", "arg two words"]


def test_a_service_answers_on_the_pods_address(node: Containerd) -> None:
    pod = node.run(annotated("wasm-http", "http"), "wherry")
    container = run(pod, "wasm-http")
    until(lambda: listens(pod.ip))
    assert get(pod.ip)
    assert container.stop().exit_code == 0


def test_a_trap_is_told_with_its_backtrace(pod: Pod, tmp_path: Path) -> None:
    log = tmp_path / "termination-log"
    log.touch()
    container = run(pod, "wasm-hostile", "unreachable", mounts=(Mounted(log, "/dev/termination-log"),))
    assert container.ended().exit_code == 134
    assert log.read_text().startswith("trap/unreachable: ")
    assert "trap/unreachable: " in container.out("stderr")


def test_an_annotation_cannot_name_another_tenants_module(node: Containerd) -> None:
    pod = node.run(annotated("wasm-echo"), "wherry")
    with pytest.raises(CriError, match=r"start/artifact: .*names the Wasm sha256:"):
        run(pod, "wasm-exit")


def test_a_file_of_an_ordinary_image_runs(pod: Pod) -> None:
    container = pod.start(ContainerSpec(images.reference(images.TAR), args=("from a tar",)))
    assert container.ended().exit_code == 0
    assert "arg from a tar" in container.out()


def test_an_ordinary_container_runs_beside_a_guest(pod: Pod) -> None:
    sidecar = pod.start(ContainerSpec(images.reference("httpd"), name="web"))
    container = run(pod, "wasm-hold")
    until(lambda: listens(pod.ip))
    assert sidecar.stop().state == "exited"
    assert container.status().state == "running"


def test_a_pod_outlives_the_zygote(pod: Pod, origin: Zygote) -> None:
    held = run(pod, "wasm-hold")
    origin.restart()
    assert held.status().state == "running"
    assert run(pod, "wasm-exit", "3", name="late").ended().exit_code == 3


def test_exec_in_a_guest_is_refused_by_name(pod: Pod) -> None:
    held = run(pod, "wasm-hold")
    with pytest.raises(CriError, match="exec is not supported in a Wasm container"):
        held.exec("/bin/sh")
