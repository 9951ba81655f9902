"""A registry that lies or fails: one truthful verdict, nothing left behind, and recovery without a person."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.supply.world import World, after, app, publish, run, verdicts
from tests.support import hostile_answers
from tests.support.artifacts import MODULE, TAR, built, image_config, tar
from tests.support.hostile_handler import GOOD, Hostile
from tests.support.hostile_registry import hostile_registry
from tests.support.registry import Registry
from wherry.oci.layouts import IMAGE_CONFIG
from wherry.oci.registries import Entry
from wherry.oci.transport.patience import Patience
from wherry_operator.supply import look
from wherry_operator.supply.hosts import LONGEST_WISH

OUTAGES = """
    e400 any, e418 any, e429 any, e500 any, e502 any, e503 any, silent any, gone any, garbage any, drip-head any,
    endless-head any, manifest-redirect manifests, manifest-drip manifests, manifest-gzip manifests, blob-500 blobs,
    blob-gzip blobs, blob-cut blobs, blob-cut-chunks blobs, blob-cut-close blobs, blob-drip blobs, redirect-plain blobs,
    redirect-neighbour blobs, redirect-file blobs, redirect-user blobs, redirect-loop blobs, redirect-private blobs,
    redirect-metadata blobs, redirect-loopback blobs, redirect-nowhere blobs, realm-other any, realm-other-https any,
    realm-neighbour any, realm-user any, realm-file any, realm-none any, token-html any, token-list any, token-none any,
    token-big any, token-split any, token-429 any
"""
REFUSED = """
    manifest-big manifests, manifest-lies manifests, config-huge manifests, config-tampered blobs, blob-tampered blobs,
    blob-short blobs, blob-long blobs, blob-endless blobs, size-less manifests, size-more manifests,
    manifest-html manifests, manifest-html-typed manifests, manifest-list manifests, manifest-deep manifests,
    manifest-latin manifests, manifest-twice manifests, manifest-nan manifests, manifest-schema1 manifests,
    manifest-other-type manifests, manifest-both manifests, manifest-annotations manifests,
    manifest-annotation-type manifests, manifest-layers-type manifests, manifest-layers-many manifests,
    manifest-no-config manifests, index-nested manifests, index-empty manifests, index-long manifests,
    digest-evil manifests, digest-other manifests, digest-upper manifests, size-negative manifests, size-bool manifests,
    size-float manifests, size-huge manifests
"""
CASES = [
    *((case, "RegistryUnavailable") for case in OUTAGES.split(",")),
    *((case, "ArtifactRefused") for case in REFUSED.split(",")),
    ("e401 any", "Unauthorized"),
    ("e401-basic any", "Unauthorized"),
    ("e401-digest any", "Unauthorized"),
    ("e403 any", "Unauthorized"),
    ("token-401 any", "Unauthorized"),
    ("e404 any", "NotFound"),
    ("blob-404 blobs", "NotFound"),
    ("manifest-layers-two manifests", "LayoutNotRunnable"),
]
IMPATIENT = Patience(connect=2, idle=1, small=2, blob=2, attempts=2, longest_wait=0.1, whole=4)


@pytest.fixture(scope="module")
def hostile() -> Iterator[Hostile]:
    with hostile_registry() as server:
        yield server


@pytest.fixture
def mended(world: World, hostile: Hostile) -> World:
    world.registries[hostile.host] = Entry(plain_http=True)
    world.patience = IMPATIENT
    return world


@pytest.mark.parametrize(("case", "reason"), [(case.strip(), reason) for case, reason in CASES])
def test_a_fault_is_told_truly_and_passes_without_a_person(
    case: str, reason: str, mended: World, hostile: Hostile, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, kind = case.split()
    monkeypatch.setitem(hostile_answers.ANSWERS, ("mends", kind), hostile_answers.ANSWERS[name, kind])
    supplier, given = mended.supplier(), app(f"{hostile.host}/t/mends:v1")
    failed = run(supplier.supply(given, ()))
    assert (failed.artifact, verdicts(failed)[0]) == (None, ("False", reason))
    assert failed.resolved.message.isprintable()
    assert list(mended.folder.iterdir()) == []
    assert failed.again
    monkeypatch.delitem(hostile_answers.ANSWERS, ("mends", kind))
    mended.now += failed.again
    later = run(supplier.supply(given, ()))
    assert later.artifact
    assert later.artifact.digest == GOOD.manifest.digest


def test_no_case_of_the_hostile_registry_is_left_out() -> None:
    told = {tuple(case.split()) for case, _ in CASES}
    writing = {key for key in hostile_answers.ANSWERS if key[0].startswith(("upload-", "referrers"))}
    honest = {("blob-chunked", "blobs"), ("realm-own", "any"), ("redirect-storage", "any")}
    gates = {("blob-stall", "blobs"), ("blob-crowd", "blobs")}
    assert set(hostile_answers.ANSWERS) - told == writing | honest | gates


@pytest.mark.parametrize("case", ["e500", "silent", "gone", "e429"])
def test_an_outage_takes_nothing_away(
    case: str, mended: World, hostile: Hostile, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = f"{hostile.host}/t/outage:v1"
    first = mended.supply(app(reference))
    monkeypatch.setitem(hostile_answers.ANSWERS, ("outage", "any"), hostile_answers.ANSWERS[case, "any"])
    asked_again = after(app(reference, annotations={"wherry.dev/refresh": "now"}), first)
    during = mended.supply(asked_again)
    assert first.artifact
    assert during.artifact == first.artifact
    assert verdicts(during)[0] == ("True", "RegistryUnavailable")
    monkeypatch.delitem(hostile_answers.ANSWERS, ("outage", "any"))
    assert verdicts(mended.supply(asked_again))[0] == ("True", "Resolved")


def test_an_outage_gives_an_old_artifact_to_no_new_reference(
    mended: World, hostile: Hostile, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = mended.supply(app(f"{hostile.host}/t/moved:v1"))
    monkeypatch.setitem(hostile_answers.ANSWERS, ("moved", "any"), hostile_answers.ANSWERS["e500", "any"])
    during = mended.supply(after(app(f"{hostile.host}/t/moved:v2"), first))
    assert (during.artifact, verdicts(during)[0]) == (None, ("False", "RegistryUnavailable"))


def test_a_registry_may_ask_for_time_but_not_for_ever(mended: World, hostile: Hostile) -> None:
    again = mended.supply(app(f"{hostile.host}/t/e429:v1")).again
    assert again == LONGEST_WISH


def test_the_operators_own_loopback_is_no_registry(world: World, hostile: Hostile) -> None:
    before = len(hostile.seen)
    told = world.supply(app(f"{hostile.host}/t/ok:v1")).resolved
    assert (told.status, told.reason) == ("False", "RegistryUnavailable")
    assert "is the loopback of whoever asks" in told.message
    assert len(hostile.seen) == before


def test_an_operator_without_room_says_so(mended: World, hostile: Hostile) -> None:
    mended.folder = mended.folder / "gone"
    supplied = mended.supply(app(f"{hostile.host}/t/ok:v1"))
    assert verdicts(supplied)[0] == ("False", "NoScratchSpace")
    assert supplied.resolved.message.endswith("gone: No such file or directory; ask who runs the operator")


def test_a_full_disk_is_no_fault_of_the_artifact(
    mended: World, hostile: Hostile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=1000))
    assert verdicts(mended.supply(app(f"{hostile.host}/t/ok:v1")))[0] == ("False", "NoScratchSpace")


def test_an_image_may_not_fill_the_disk(
    world: World, plain: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(look, "DOWNLOAD_LIMIT", 300)
    data = tar({"app.wasm": MODULE}) + bytes(10_000)
    config = image_config([data], {"Entrypoint": ["/app.wasm"]})
    reference = f"{world.knows(plain)}/faults/fills:v1"
    publish(plain, tmp_path, reference, built("compat", (IMAGE_CONFIG, config), [(TAR, data)]))
    supplied = world.supply(app(reference))
    assert verdicts(supplied)[0] == ("False", "ArtifactRefused")
    assert "more than 300 bytes to look through" in supplied.resolved.message


def test_a_ca_that_is_none_is_a_fault_of_the_way_to_the_registry(mended: World, hostile: Hostile) -> None:
    mended.registries[hostile.host] = Entry(ca="nonsense")
    supplied = mended.supply(app(f"{hostile.host}/t/ok:v1"))
    assert verdicts(supplied)[0] == ("False", "RegistryUnavailable")
    assert "a CA that is no PEM certificate" in supplied.resolved.message


@pytest.mark.parametrize("text", ["./app.wasm", "oci:folder:v1", "/etc/passwd", "ghcr.io/Upper", "ghcr.io/a:b:c"])
def test_an_artifact_that_is_no_reference_is_told_as_such(text: str, world: World) -> None:
    supplied = world.supply(app(text))
    assert (supplied.artifact, supplied.again) == (None, None)
    assert verdicts(supplied) == (("False", "InvalidReference"), ("Unknown", "NotChecked"))
