"""Plans on a node: what the annotation grants, and what a Pod without one gets."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.plan.guests import COMMAND, DIGEST, FILE, HTTP, LIBRARY, PREVIEW1
from tests.support import bundles
from tests.support.bundles import CRI, KUBELET, TOKEN, TOKEN_AT, Container
from wherry.errors import StartError
from wherry.plan.annotation import PREFIX
from wherry.plan.bundle import read
from wherry.plan.from_bundle import PORTS, from_bundle
from wherry.plan.model import Limits, Mount, RunPlan
from wherry.wasm.module import Inspection

VOLUME = f"{KUBELET}/volumes/kubernetes.io~empty-dir/data"
OTHER = "sha256:" + "f" * 64


def _plan(said: Inspection = COMMAND, **container: Any) -> RunPlan:
    return from_bundle(read(bundles.config(Container(**container))), FILE, lambda: said)


def _annotated(**fields: Any) -> dict[str, Any]:
    known = {"v": 1, "run": "command", "wasm": DIGEST, "limits": {"memory": 1, "concurrency": 1}} | fields
    return {"pod_annotations": {f"{PREFIX}app": json.dumps(known)}}


def _refusal(reason: str, **container: Any) -> str:
    with pytest.raises(StartError) as caught:
        _plan(**container)
    assert caught.value.reason == reason
    return str(caught.value)


def test_a_pod_without_an_annotation_gets_the_defaults() -> None:
    limits = Limits(memory=128 << 20, timeout=30.0, fuel=None, concurrency=16)
    assert _plan(HTTP) == RunPlan(run="http", wasm=FILE, port=8080, drain=23.0, limits=limits)
    assert _plan(PREVIEW1) == RunPlan(run="command", wasm=FILE, port=0, limits=Limits(timeout=None))


def test_a_module_without_an_entry_is_left_to_the_engine() -> None:
    assert _plan(LIBRARY).run == "command"


def test_a_pod_without_an_annotation_gets_its_own_variables() -> None:
    env = {"MODE": "fast", "TERM": "xterm", "EMPTY": "", "EQUALS": "a=b", "OTHER_SERVICE_HOST": "10.0.0.1"}
    assert dict(_plan(env=env).env) == {name: value for name, value in env.items() if name != "TERM"}


def test_a_pod_without_an_annotation_gets_its_own_volumes() -> None:
    token = f"{KUBELET}/volumes/kubernetes.io~projected/kube-api-access-abcde"
    image_volume = f"/var/lib/containerd/{CRI}/containers/0123/volumes/4567"
    kept = [
        (VOLUME, "/data", False),
        ("/srv/host", "/host", True),
        (f"/run/containerd/{CRI}/image-volumes/x", "/i", True),
    ]
    dropped = [(token, "/elsewhere", True), (f"{KUBELET}/old", f"{TOKEN_AT}/x", True), (image_volume, "/v", False)]
    plan = _plan(mounts=[*kept, *dropped], token=True, termination_path="/why")
    assert plan.mounts == tuple(sorted((Mount(*mount) for mount in kept), key=lambda mount: mount.guest))


def test_the_annotation_grants_what_it_names_and_nothing_else() -> None:
    granted = _annotated(env=["MODE", "PATH", "ABSENT"], mounts=["/data", TOKEN_AT])
    mounts = [(VOLUME, "/data", True), (VOLUME, "/more", False)]
    plan = _plan(env={"MODE": "fast", "PATH": "/mine", "KEY": "k"}, mounts=mounts, token=True, **granted)
    assert plan.env == (("MODE", "fast"), ("PATH", "/mine"))
    assert plan.mounts == (Mount(VOLUME, "/data", True), Mount(TOKEN, TOKEN_AT, True))


def test_arguments_are_the_processes_behind_one_name_that_is_the_same_everywhere() -> None:
    assert _plan(args=("/bin/tool.wasm", "a", "")).argv == ("/app.wasm", "a", "")


@pytest.mark.parametrize(
    ("ports", "port"),
    [
        ([], 8080),
        ([{"containerPort": 53, "protocol": "UDP"}], 8080),
        ([{"containerPort": 53, "protocol": "UDP"}, {"containerPort": 81}, {"containerPort": 82}], 81),
        ([{"name": "http", "hostPort": 1, "containerPort": 9000, "protocol": "TCP"}], 9000),
    ],
)
def test_http_is_served_at_the_first_tcp_port(ports: list[dict[str, Any]], port: int) -> None:
    assert _plan(HTTP, ports=ports).port == port
    assert _plan(COMMAND, ports=ports).port == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ("{}", "ports: got a mapping, expected a list"),
        ("[1]", r"ports\[0\]: got the number 1"),
        ("[{}]", r"ports\[0\].containerPort: got nothing"),
        ('[{"containerPort":0}]', r"ports\[0\].containerPort: got the number 0"),
    ],
)
def test_ports_that_cannot_be_are_refused(text: str, message: str) -> None:
    spec = bundles.config(Container())
    spec["annotations"][PORTS] = text
    with pytest.raises(StartError, match=message) as caught:
        from_bundle(read(spec), FILE, lambda: HTTP)
    assert caught.value.reason == "plan"


@pytest.mark.parametrize("again", ["/data", "/data/", "/etc/../data"])
@pytest.mark.parametrize("annotated", [True, False])
def test_two_mounts_at_one_path_are_refused_by_that_path(again: str, annotated: bool) -> None:
    mounts = [(VOLUME, "/data", False), (f"{VOLUME}-2", again, True)]
    message = _refusal("mount", mounts=mounts, **(_annotated(mounts=["/data"]) if annotated else {}))
    assert "container app: got several mounts at /data, expected one" in message


def test_an_annotation_of_another_module_than_the_images_is_refused() -> None:
    message = _refusal("artifact", **_annotated(wasm=OTHER))
    assert OTHER in message
    assert DIGEST in message


def test_an_annotation_that_is_none_is_refused_by_field() -> None:
    assert "plan.run: got" in _refusal("plan", **_annotated(run="job"))
    assert "no JSON" in _refusal("plan", pod_annotations={f"{PREFIX}app": ""})


@pytest.mark.parametrize("path", ["/data", "/proc", "/sys/fs/cgroup"])
def test_a_path_without_a_volume_is_refused_by_name(path: str) -> None:
    message = _refusal("mount", **_annotated(mounts=["/etc/hosts", path]))
    assert f"annotation plan.wherry.dev/app: plan.mounts[1]: got {path}, where the container has no volume" in message
