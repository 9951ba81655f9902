"""What is compiled ahead is what the first Pod would compile: its start compiles nothing more."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support import artifacts, guests
from tests.support.content_store import Pulled
from wherry.engine.host import Host
from wherry.engine.prepare import prepare
from wherry.errors import StartError
from wherry.oci.digest import digest_of
from wherry.plan.annotation import PREFIX
from wherry_shim.artifact.chain import planned
from wherry_shim.artifact.prewarm import prewarm

MODULE = artifacts.MODULE


def _annotation(wasm: bytes, **fields: Any) -> str:
    known = {"v": 1, "run": "command", "wasm": digest_of(wasm), "limits": {"memory": 1 << 20, "concurrency": 1}}
    return json.dumps(known | fields)


def _started(pulled: Pulled, image: str, annotation: str = "") -> Path:
    """The code of a Pod that starts."""
    marks = {f"{PREFIX}app": annotation} if annotation else {}
    plan = planned(pulled.task(image, pod_annotations=marks), pulled.node, pulled.records)
    return Path(prepare(plan, Host(cache=pulled.node.cache)).code)


@pytest.fixture
def pulled(tmp_path: Path) -> Pulled:
    return Pulled(tmp_path)


def test_a_module_is_compiled_once_whatever_its_pods_may_call(pulled: Pulled) -> None:
    image = pulled.pull(artifacts.cncf())
    warmed = prewarm(image, pulled.node, pulled.records)
    assert warmed == (_started(pulled, image),)


def test_a_component_that_calls_out_is_compiled_with_and_without_a_way_out(pulled: Pulled) -> None:
    wasm = guests.caller("fetch").read_bytes()
    image = pulled.pull(artifacts.cncf(wasm))
    warmed = prewarm(image, pulled.node, pulled.records)
    inodes = [path.stat().st_ino for path in warmed]
    calling = _annotation(wasm, outbound=["https://api.example.com"])
    assert warmed == (_started(pulled, image), _started(pulled, image, calling))
    assert [path.stat().st_ino for path in warmed] == inodes


def test_an_annotation_says_exactly_what_will_be_wanted(pulled: Pulled) -> None:
    image = pulled.pull(artifacts.cncf())
    fuelled = _annotation(MODULE, limits={"memory": 1 << 20, "concurrency": 1, "fuel": 1000})
    warmed = prewarm(image, pulled.node, pulled.records, fuelled)
    assert warmed == (_started(pulled, image, fuelled),)
    assert warmed != prewarm(image, pulled.node, pulled.records)


def test_an_annotation_of_another_module_is_refused(pulled: Pulled) -> None:
    with pytest.raises(StartError, match="names the Wasm") as caught:
        prewarm(pulled.pull(artifacts.cncf()), pulled.node, pulled.records, _annotation(b"other"))
    assert caught.value.reason == "artifact"


@pytest.mark.parametrize(
    ("artifact", "message"),
    [(artifacts.compat(), "a file in its root filesystem"), (artifacts.cncf(artifacts.ELF), "ELF")],
    ids=["a tar image", "no Wasm"],
)
def test_what_cannot_be_compiled_ahead_is_told(artifact: artifacts.Built, message: str, pulled: Pulled) -> None:
    with pytest.raises(StartError, match=message):
        prewarm(pulled.pull(artifact), pulled.node, pulled.records)


def test_an_image_that_is_not_on_the_node_is_told(pulled: Pulled) -> None:
    with pytest.raises(StartError, match="does not have it"):
        prewarm("registry.example/nowhere:v1", pulled.node, pulled.records)
