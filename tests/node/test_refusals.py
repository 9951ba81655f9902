"""Wasm containers that cannot start, on real containerds: one reason, one sentence, and what to do."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import wasmtime

from tests.node.test_guests import annotated, guest, run
from tests.support import images, oci_images
from tests.support.containerd import Containerd
from tests.support.cri import CriError
from tests.support.cri_configs import ContainerSpec, Mounted, PodSpec
from tests.support.oci_images import Image
from tests.support.pods import Pod
from tests.support.registry import Registry
from tests.support.zygote import Zygote
from wherry.oci.access import Access
from wherry.oci.digest import digest_of, hex_of
from wherry.oci.push import push

pytestmark = [pytest.mark.peer, pytest.mark.slow, pytest.mark.usefixtures("origin")]

START = '(func (export "_start"))'
NEWER = """(component
  (component $inner (core module $m (func (export "run") (result i32) i32.const 0)) (core instance $i (instantiate $m))
    (func (export "run") (result (result)) (canon lift (core func $i "run"))))
  (instance $run (instantiate $inner)) (export "wasi:cli/run@0.3.0" (instance $run)))"""
MODULES: dict[str, tuple[bytes | str, str]] = {
    "invalid": (b"\0asm\1\0\0\0 and then something else", "start/invalid-module: "),
    "text": (b"no wasm at all", "start/invalid-module: "),
    "newer": (NEWER, "start/unsupported: .* is a WASI 0.3 component .*rebuild it for WASI 0.2"),
    "library": ("(module (func (export \"add\")))", "start/unsupported: .* exports add, expected .*as a program"),
    "missing": (f'(module (import "acme" "call" (func)) {START})', "start/missing-import: .*: acme.call.*build it for"),
    "large": (f"(module (memory 4096) {START})", "start/memory: .*256 MiB.*128 MiB.*limits.memory"),
    "mistyped": ('(module (func (export "_start") i32.const 1))', "start/(compile|invalid-module): "),
}  # fmt: skip
LATE: dict[str, tuple[str, str]] = {
    "trapping": (f"(module (func $s unreachable) (start $s) {START})", "start/instantiate: .*unreachable"),
    "memories": (f"(module {'(memory 1000)' * 20} {START})", "start/memory: .*memory"),
}
"""What only running the module shows: containerd has been told by then that it runs."""


@pytest.fixture(scope="module")
def broken(node_registry: Registry) -> str:
    """An image with a .wasm of each kind."""
    files = {f"/{name}.wasm": _bytes(given) for name, (given, _) in (MODULES | LATE).items()}
    oci_images.push(node_registry.host, "broken", "v1", Image(files, {"Entrypoint": ["/none"]}))
    return images.reference("broken")


def _bytes(given: bytes | str) -> bytes:
    return given if isinstance(given, bytes) else bytes(wasmtime.wat2wasm(given))


@pytest.fixture
def pod(node: Containerd, origin: Zygote) -> Pod:
    return node.run(PodSpec("refusals"), "wherry")


@pytest.mark.parametrize("name", MODULES)
def test_a_module_that_cannot_run_is_told_by_its_reason(node: Containerd, pod: Pod, broken: str, name: str) -> None:
    node.cri.pull(broken)
    with pytest.raises(CriError, match=MODULES[name][1]):
        pod.start(ContainerSpec(broken, command=(f"/{name}.wasm",)))


@pytest.mark.parametrize("name", LATE)
def test_a_module_that_fails_before_its_first_line_ends_at_once_with_its_reason(
    node: Containerd, pod: Pod, broken: str, name: str, tmp_path: Path
) -> None:
    node.cri.pull(broken)
    log = tmp_path / "termination-log"
    log.touch()
    mounts = (Mounted(log, "/dev/termination-log"),)
    container = pod.start(ContainerSpec(broken, command=(f"/{name}.wasm",), mounts=mounts))
    assert container.ended().exit_code == 125
    assert re.match(LATE[name][1], log.read_text())
    assert container.says("start/") == log.read_text().splitlines()[0]


def test_a_command_that_names_no_file_of_the_image_is_told(node: Containerd, pod: Pod, broken: str) -> None:
    node.cri.pull(broken)
    with pytest.raises(CriError, match=r"start/artifact: .*/absent.wasm.*correct `command`"):
        pod.start(ContainerSpec(broken, command=("/absent.wasm",)))


@pytest.mark.parametrize("given", [{"plan.wherry.dev/app": "{"}, {"plan.wherry.dev/app": '{"v": 2, "wasm": 3}'}])
def test_an_annotation_that_is_no_plan_is_told(node: Containerd, given: dict[str, str]) -> None:
    with pytest.raises(CriError, match="start/plan: "):
        run(node.run(PodSpec("plan", annotations=given), "wherry"), "wasm-exit")


def test_an_annotated_folder_without_a_volume_is_told(node: Containerd) -> None:
    pod = node.run(annotated("wasm-exit", mounts=["/data"]), "wherry")
    with pytest.raises(CriError, match=r"start/mount: .*/data, where the container has no volume.*add a volumeMount"):
        run(pod, "wasm-exit")


def test_a_volume_that_is_gone_is_told(pod: Pod, tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    container = pod.create(guest("wasm-exit", mounts=(Mounted(tmp_path / "gone", "/data"),)))
    (tmp_path / "gone").rmdir()
    with pytest.raises(CriError, match=r"start/mount: mount /data: .*gone"):
        container.start()


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))


@pytest.mark.parametrize(("harm", "found"), [(_flip, "other bytes"), (Path.unlink, "No such file")])
@pytest.mark.parametrize("annotation", [True, False])
def test_a_layer_that_is_not_what_it_was_is_told_and_never_run(
    node: Containerd, harm: Callable[[Path], None], found: str, annotation: bool
) -> None:
    data = images.WASM["wasm-exit"]().read_bytes()
    blob = node.settings.root / "io.containerd.content.v1.content" / "blobs" / "sha256" / hex_of(digest_of(data))
    pod = node.run(annotated("wasm-exit") if annotation else PodSpec("harmed"), "wherry")
    assert run(pod, "wasm-exit", "3").ended().exit_code == 3
    harm(blob)
    try:
        with pytest.raises(CriError, match=rf"start/artifact: .*{found}.*crictl rmi"):
            run(pod, "wasm-exit", attempt=1)
    finally:
        blob.write_bytes(data)
    assert run(pod, "wasm-exit", "4", attempt=2).ended().exit_code == 4


def test_an_image_that_was_removed_meanwhile_is_told(
    node: Containerd, pod: Pod, node_registry: Registry, tmp_path: Path
) -> None:
    (tmp_path / "gone.wasm").write_bytes(
        _bytes(f'(module (memory (export "memory") 1) {START} (data (i32.const 0) "x"))')
    )
    push(tmp_path / "gone.wasm", f"{node_registry.host}/gone:v1", Access(tmp_path / "cache"))
    node.cri.pull(images.reference("gone"))
    container = pod.create(guest("gone"))
    node.cri.remove_image(images.reference("gone"))
    with pytest.raises(CriError, match="start/artifact: "):
        container.start()


def test_a_refused_container_leaves_its_pod_as_it_was(node: Containerd) -> None:
    pod = node.run(annotated("wasm-echo"), "wherry")
    for attempt in range(3):
        with pytest.raises(CriError, match="start/artifact"):
            run(pod, "wasm-exit", attempt=attempt)
    assert run(pod, "wasm-echo", attempt=3).ended().exit_code == 0
