"""What real containerds answer about images and containers, and that the chain of trust ends in their content store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import artifacts, bundles, programs
from tests.support.artifacts import MODULE
from tests.support.bare_containerd import BareContainerd, bare_containerd
from wherry.errors import StartError
from wherry.oci.digest import digest_of
from wherry.plan.bundle import read
from wherry_shim.artifact.chain import Task, is_wasm_image, planned
from wherry_shim.artifact.containerd import Containerd

pytestmark = [pytest.mark.peer, pytest.mark.slow]

HELLO = "registry.example/hello"
TAR = "registry.example/tar"


@pytest.fixture(scope="module", params=programs.VERSIONS)
def containerd(request: pytest.FixtureRequest) -> Iterator[BareContainerd]:
    with bare_containerd(request.param) as running:
        running.load(artifacts.cncf(), HELLO, "--no-unpack")
        running.load(artifacts.compat(), TAR, "--snapshotter", "native")
        running.ctr("containers", "create", "--snapshotter", "native", f"{TAR}:v1", "c1")
        yield running


def _task(image: str, rootfs: Path, program: str = "/app.wasm") -> Task:
    return Task("c1", read(bundles.config(bundles.Container(image=image, args=(program,)))), lambda: rootfs)


def test_a_name_stands_for_a_manifest(containerd: BareContainerd) -> None:
    assert containerd.records.target(f"{HELLO}:v1") == artifacts.cncf().manifest.digest


def test_a_container_has_an_image(containerd: BareContainerd) -> None:
    assert containerd.records.image_of("c1") == f"{TAR}:v1"


def test_a_tag_leads_to_the_wasm_in_the_content_store(containerd: BareContainerd, tmp_path: Path) -> None:
    plan = planned(_task(f"{HELLO}:v1", tmp_path), containerd.node, containerd.records)
    assert plan.wasm.digest == digest_of(MODULE)
    assert Path(plan.wasm.path).read_bytes() == MODULE
    assert containerd.node.content in Path(plan.wasm.path).parents


def test_a_digest_leads_there_without_a_question(containerd: BareContainerd, tmp_path: Path) -> None:
    nobody = Containerd("/nowhere", "k8s.io")
    task = _task(f"{HELLO}@{artifacts.cncf().manifest.digest}", tmp_path)
    assert planned(task, containerd.node, nobody).wasm.digest == digest_of(MODULE)


def test_a_container_whose_config_names_no_image_is_looked_up(containerd: BareContainerd, tmp_path: Path) -> None:
    (tmp_path / "app.wasm").write_bytes(MODULE)
    plan = planned(_task("", tmp_path), containerd.node, containerd.records)
    assert plan.wasm.path == str(containerd.node.cache / "blobs" / "sha256" / digest_of(MODULE)[7:])


def test_images_say_what_they_are(containerd: BareContainerd, tmp_path: Path) -> None:
    found = [
        is_wasm_image(_task(image, tmp_path, "/x"), containerd.node, containerd.records)
        for image in (f"{HELLO}:v1", f"{TAR}:v1")
    ]
    assert found == [True, False]


def test_what_containerd_does_not_have_is_told(containerd: BareContainerd) -> None:
    with pytest.raises(StartError, match=f"image {HELLO}:v2: containerd does not have it; pull it again"):
        containerd.records.target(f"{HELLO}:v2")
    with pytest.raises(StartError, match="container c2: containerd does not have it"):
        containerd.records.image_of("c2")


def test_another_namespace_is_another_world(containerd: BareContainerd) -> None:
    with pytest.raises(StartError, match="does not have it"):
        Containerd(containerd.node.containerd, "elsewhere").target(f"{HELLO}:v1")


def test_a_name_that_no_store_can_have_is_told(containerd: BareContainerd) -> None:
    with pytest.raises(StartError, match="a request of"):
        containerd.records.target("x" * 20_000)
