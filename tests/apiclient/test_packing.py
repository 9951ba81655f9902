"""What is remembered of an object, and how."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from wherry_operator.cluster.packing import LAST_APPLIED, Packer, kept

TEXT = st.text(max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.lists(st.fixed_dictionaries({"metadata": st.fixed_dictionaries({"name": TEXT}), "spec": JSON}), max_size=5)


@given(OBJECTS)
def test_what_is_packed_comes_back_the_same(objects: list[dict[str, Any]]) -> None:
    packer = Packer()
    packed = [packer.pack(each) for each in objects]
    assert [packer.unpack(each) for each in packed] == objects


def test_what_nobody_reads_is_dropped_from_a_copy() -> None:
    annotations = {LAST_APPLIED: "{}", "example.com/theirs": "1"}
    manifest = {"kind": "Service", "metadata": {"name": "a", "managedFields": [{}], "annotations": annotations}}
    before = json.dumps(manifest)
    assert kept(manifest)["metadata"] == {"name": "a", "annotations": {"example.com/theirs": "1"}}
    assert json.dumps(manifest) == before


def test_of_a_pods_spec_stays_what_is_its_own() -> None:
    container = {"name": "app", "image": "i", "env": [{"name": "A", "value": "1"}]}
    spec = {"nodeName": "n", "containers": [container], "volumes": [{"name": "v"}], "restartPolicy": "Always"}
    pod = {"kind": "Pod", "metadata": {"name": "a"}, "spec": spec, "status": {"phase": "Running"}}
    assert kept(pod)["spec"] == {"nodeName": "n", "containers": [{"name": "app", "image": "i"}]}
    assert kept(pod)["status"] == {"phase": "Running"}


def test_objects_of_one_kind_share_what_they_have_in_common() -> None:
    packer = Packer()
    env = [{"name": f"A_LONG_NAME_{number}", "value": "x" * number} for number in range(40)]
    manifests = [{"metadata": {"name": f"a-{number}"}, "spec": {"env": env}} for number in range(2)]
    packer.pack(manifests[0])
    assert len(packer.pack(manifests[1])) < len(json.dumps(manifests[1])) // 20
