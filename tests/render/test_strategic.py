"""Our strategic merge against kubectl's: the same result for every patch of the tables, and for those drawn."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.apiserver import ENABLE
from tests.support.cluster import programs
from wherry.spec.document import load
from wherry.spec.shape import Wrong
from wherry_operator.desired.strategic import merge, plain

TABLE: Any = load((Path(__file__).parent / "patches.yaml").read_text())[0]
ORIGINAL: dict[str, Any] = TABLE["original"]


@pytest.fixture(scope="module")
def kubectl() -> Path:
    program = programs() / "kubectl"
    if not program.exists():
        pytest.skip(f"no kubectl here: {ENABLE}")
    return program


def theirs(kubectl: Path, folder: Path, patch: object) -> Any:
    """The patched specification; None where kubectl refuses the patch."""
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": ORIGINAL}
    (folder / "pod.json").write_text(json.dumps(pod))
    options = ["--local", "--type=strategic", "--output=json", f"--filename={folder / 'pod.json'}"]
    command = [str(kubectl), "patch", *options, "--patch", json.dumps({"spec": patch})]
    result = subprocess.run(command, capture_output=True, check=False)
    return None if result.returncode else plain(json.loads(result.stdout)["spec"])


def ours(patch: Any) -> Any:
    try:
        return merge(ORIGINAL, patch, "spec")
    except Wrong:
        return None


@pytest.mark.peer
@pytest.mark.parametrize("row", TABLE["rows"], ids=lambda row: row["reason"])
def test_a_patch_gives_what_kubectl_gives(row: Any, kubectl: Path, tmp_path: Path) -> None:
    result = ours(row["patch"])
    assert result is not None
    assert result == theirs(kubectl, tmp_path, row["patch"])


@pytest.mark.peer
@pytest.mark.parametrize("row", TABLE["refused"], ids=lambda row: row["reason"])
def test_a_patch_that_kubectl_refuses_is_refused_with_its_path(row: Any, kubectl: Path, tmp_path: Path) -> None:
    assert theirs(kubectl, tmp_path, row["patch"]) is None
    with pytest.raises(Wrong) as caught:
        merge(ORIGINAL, row["patch"], "spec")
    assert [str(fault) for fault in caught.value.faults] == [row["said"]]


@pytest.mark.parametrize("directive", ["$setElementOrder/containers", "$deleteFromPrimitiveList/args"])
def test_a_directive_that_only_programs_write_is_refused(directive: str) -> None:
    with pytest.raises(Wrong, match="got a directive"):
        merge(ORIGINAL, {directive: []}, "spec")


NAMES = st.sampled_from(["app", "log", "new", "other"])
WORDS = st.none() | st.sampled_from(["", "a", "b"])


def _items(key: str, names: st.SearchStrategy[Any], **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    item = st.fixed_dictionaries({key: names}, optional=fields)
    gone = st.fixed_dictionaries({key: names, "$patch": st.just("delete")})
    fresh = st.just({"$patch": "replace"})
    return st.lists(st.one_of(item, item, gone, fresh), max_size=3)


MAPPINGS = st.dictionaries(st.sampled_from(["a", "b", "c"]), WORDS, max_size=3)
DIRECTED = MAPPINGS | MAPPINGS.map(lambda mapping: mapping | {"$patch": "replace"}) | st.just({"$patch": "delete"})
CONTAINERS = _items(
    "name",
    NAMES,
    image=WORDS,
    command=st.none() | st.lists(st.sampled_from("ab"), max_size=2),
    env=_items("name", st.sampled_from("ABC"), value=WORDS),
    ports=_items("containerPort", st.integers(8080, 8082), name=WORDS, protocol=WORDS),
    volumeMounts=_items("mountPath", st.sampled_from(["/data", "/b"]), name=WORDS, subPath=WORDS),
    securityContext=st.none() | st.fixed_dictionaries({}, optional={"runAsUser": st.none() | st.integers(0, 3)}),
)
PATCHES = st.fixed_dictionaries(
    {},
    optional={
        "containers": CONTAINERS,
        "initContainers": CONTAINERS,
        "volumes": _items("name", st.sampled_from(["data", "b"]), emptyDir=st.none() | st.just({})),
        "imagePullSecrets": _items("name", st.sampled_from(["one", "two"])),
        "hostAliases": _items("ip", st.sampled_from(["10.0.0.1", "10.0.0.2"]), hostnames=st.lists(st.just("h"))),
        "tolerations": st.lists(st.fixed_dictionaries({"key": st.sampled_from("ab")}), max_size=2),
        "nodeSelector": DIRECTED,
        "hostname": WORDS,
        "terminationGracePeriodSeconds": st.none() | st.integers(0, 60),
    },
)


@pytest.mark.peer
@pytest.mark.slow
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(patch=PATCHES)
def test_a_patch_that_nobody_thought_of_gives_what_kubectl_gives(patch: Any, kubectl: Path, tmp_path: Path) -> None:
    assert ours(patch) == theirs(kubectl, tmp_path, patch)


@given(patch=PATCHES)
def test_a_merge_changes_neither_side(patch: Any) -> None:
    before = json.dumps([ORIGINAL, patch])
    merged = merge(ORIGINAL, patch, "spec")
    _scribble(merged)
    assert json.dumps([ORIGINAL, patch]) == before


def _scribble(value: Any) -> None:
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _scribble(each)
    if isinstance(value, dict | list):
        value.clear()
