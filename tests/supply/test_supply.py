"""From a reference to what may run, against a real registry: pinned, described, remembered."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.supply.world import World, after, app, publish, verdicts
from tests.support import guests
from tests.support.artifacts import (
    MODULE,
    TAR,
    Built,
    built,
    cncf,
    compat,
    docker_wasi,
    hybrid,
    image_config,
    index,
    native_image,
    runwasi,
    tar,
    wasm_config,
)
from tests.support.registry import Registry
from tests.support.registry_log import requests
from wherry.oci.descriptor import Platform
from wherry.oci.digest import digest_of
from wherry.oci.layouts import IMAGE_CONFIG, WASM_CONFIG, WASM_LAYER

RESOLVED = (("True", "Resolved"), ("Unknown", "NotAsked"))


def test_a_tag_becomes_the_digest_that_it_names_now(world: World, plain: Registry, tmp_path: Path) -> None:
    reference = f"{world.knows(plain)}/supply/tag:v1"
    digest = publish(plain, tmp_path, reference)
    supplied = world.supply(app(reference))
    assert supplied.artifact
    assert verdicts(supplied) == RESOLVED
    assert (supplied.artifact.reference, supplied.artifact.digest) == (reference, digest)
    assert (supplied.resolved.message, supplied.again) == (digest, None)
    assert supplied.artifact.resolved_at == "2027-01-15T08:00:00Z"


def test_the_status_says_what_the_bytes_are(world: World, plain: Registry, tmp_path: Path) -> None:
    reference = f"{world.knows(plain)}/supply/http:v1"
    wasm = guests.http("types").read_bytes()
    publish(plain, tmp_path, reference, cncf(wasm))
    world.limit = len(wasm)
    artifact = world.supply(app(reference)).artifact
    assert artifact
    assert (artifact.wasm, artifact.size, artifact.kind) == (digest_of(wasm), len(wasm), "component")
    assert artifact.world.startswith("wasi:http/proxy@0.2")
    assert any(name.startswith("wasi:http/incoming-handler@") for name in artifact.exports)
    assert any(name.startswith("wasi:http/types@") for name in artifact.imports)


def test_a_claim_of_the_publisher_does_not_count(world: World, plain: Registry, tmp_path: Path) -> None:
    reference = f"{world.knows(plain)}/supply/claim:v1"
    publish(plain, tmp_path, reference, cncf_claiming("wasi:http/incoming-handler@0.2.3"))
    artifact = world.supply(app(reference)).artifact
    assert artifact
    assert (artifact.kind, artifact.exports) == ("module", ("_start",))


def cncf_claiming(export: str) -> Built:
    config = wasm_config(MODULE, os="wasip2", component={"imports": [], "exports": [export]})
    return built("cncf", (WASM_CONFIG, config), [(WASM_LAYER, MODULE)])


WASI = Platform("wasi", "wasm")
RUNNABLE = {
    "cncf": cncf(),
    "hybrid": hybrid(),
    "runwasi": runwasi(),
    "compat": compat(),
    "docker-compat": compat(docker=True),
    "docker-wasi": docker_wasi(),
    "index": index((docker_wasi(), WASI), (native_image(), Platform("linux", "amd64"))),
}


@pytest.mark.parametrize("name", RUNNABLE)
def test_a_layout_that_the_kubelet_pulls_runs(name: str, world: World, plain: Registry, tmp_path: Path) -> None:
    reference = f"{world.knows(plain)}/supply/runs-{name}:v1"
    publish(plain, tmp_path, reference, RUNNABLE[name])
    supplied = world.supply(app(reference))
    assert supplied.artifact
    assert verdicts(supplied) == RESOLVED
    assert supplied.artifact.wasm == digest_of(MODULE)


def test_an_index_gives_its_wasm_child(world: World, plain: Registry, tmp_path: Path) -> None:
    reference = f"{world.knows(plain)}/supply/index:v1"
    named = publish(plain, tmp_path, reference, RUNNABLE["index"])
    artifact = world.supply(app(reference)).artifact
    assert artifact
    assert (artifact.digest, artifact.index) == (docker_wasi().manifest.digest, named)


def test_an_image_of_tar_layers_names_the_file_to_run(world: World, plain: Registry, tmp_path: Path) -> None:
    reference = f"{world.knows(plain)}/supply/tar:v1"
    publish(plain, tmp_path, reference, docker_wasi())
    artifact = world.supply(app(reference)).artifact
    assert artifact
    assert (artifact.entrypoint, artifact.wasm, artifact.size) == ("/app/main.wasm", digest_of(MODULE), len(MODULE))


@pytest.mark.parametrize("path", ["a" * 2000 + ".wasm", "a\nb.wasm"])
def test_a_path_that_no_pod_could_hold_is_refused(path: str, world: World, plain: Registry, tmp_path: Path) -> None:
    reference = f"{world.knows(plain)}/supply/path:v1"
    data = tar({path: MODULE})
    config = image_config([data], {"Entrypoint": [path]})
    publish(plain, tmp_path, reference, built("compat", (IMAGE_CONFIG, config), [(TAR, data)]))
    supplied = world.supply(app(reference))
    assert (supplied.artifact, supplied.resolved.reason) == (None, "ArtifactRefused")


def test_nothing_stays_on_the_disk(world: World, plain: Registry, tmp_path: Path) -> None:
    reference = f"{world.knows(plain)}/supply/disk:v1"
    publish(plain, tmp_path, reference)
    world.supply(app(reference))
    assert list(world.folder.iterdir()) == []


def test_a_restarted_operator_asks_no_registry(world: World, plain: Registry, tmp_path: Path) -> None:
    reference = f"{world.knows(plain)}/supply/restart:v1"
    publish(plain, tmp_path, reference)
    first = world.supply(app(reference))
    before = requests(plain, "supply/restart")
    world.now += 1e6
    again = world.supply(after(app(reference), first))
    assert requests(plain, "supply/restart") == before
    assert again == first
    assert world.counted == ["registry", "status"]


def test_scaling_never_moves_a_tag(world: World, plain: Registry, tmp_path: Path) -> None:
    reference = f"{world.knows(plain)}/supply/scale:v1"
    publish(plain, tmp_path, reference)
    first = world.supply(app(reference))
    publish(plain, tmp_path, reference, cncf(MODULE + b"\0\x01\0"))
    assert world.supply(after(app(reference, replicas=5), first)) == first


def test_the_annotation_makes_a_tag_be_looked_up_again(world: World, plain: Registry, tmp_path: Path) -> None:
    reference = f"{world.knows(plain)}/supply/again:v1"
    publish(plain, tmp_path, reference)
    first = world.supply(app(reference))
    moved = publish(plain, tmp_path, reference, cncf(MODULE + b"\0\x01\0"))
    world.now += 60
    second = world.supply(after(app(reference, annotations={"wherry.dev/refresh": "1"}), first))
    assert second.artifact
    assert (second.artifact.digest, second.artifact.resolved_at) == (moved, "2027-01-15T08:01:00Z")


def test_a_tag_that_did_not_move_changes_nothing_of_the_status(world: World, plain: Registry, tmp_path: Path) -> None:
    reference = f"{world.knows(plain)}/supply/still:v1"
    publish(plain, tmp_path, reference)
    given = app(reference, pull={"refresh": "1h"})
    first = world.supply(given)
    world.now += 7200
    second = world.supply(after(given, first))
    assert second.artifact == first.artifact


def test_a_revision_is_made_again_from_its_digest(world: World, plain: Registry, tmp_path: Path) -> None:
    reference = f"{world.knows(plain)}/supply/back:v1"
    old = publish(plain, tmp_path, reference)
    new = publish(plain, tmp_path, reference, cncf(MODULE + b"\0\x01\0"))
    pinned = f"{plain.host}/supply/back@{old}"
    now = world.supply(app(reference))
    back = world.supply(after(app(reference), now), reference=pinned)
    forth = world.supply(after(app(reference), back))
    assert now.artifact
    assert back.artifact
    assert forth.artifact
    assert [each.digest for each in (now.artifact, back.artifact, forth.artifact)] == [new, old, new]
    assert back.artifact.reference == pinned
