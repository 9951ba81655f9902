"""config.json: which kind of container it is, where its termination message goes, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.plan.guests import FILE, HTTP
from tests.support import bundles
from tests.support.bundles import LOG, Container
from wherry.errors import StartError
from wherry.plan.annotation import PREFIX
from wherry.plan.bundle import CONTAINER_TYPE, TERMINATION_PATH, Bundle, read, role, termination_log
from wherry.plan.from_bundle import PORTS, from_bundle
from wherry.plan.model import Mount, RunPlan


def _bundle(**said: Any) -> Bundle:
    return read(bundles.config(Container(**said)))


def _sandbox(annotations: dict[str, str]) -> Bundle:
    spec = {"process": {"args": ["/pause"]}, "annotations": annotations | {CONTAINER_TYPE: "sandbox"}}
    return read(spec)


def _not_asked() -> bool:
    raise AssertionError("the image need not be looked at")


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        pytest.param(_sandbox({f"{PREFIX}app": "{}", f"{PREFIX}": "{}"}), "sandbox", id="a sandbox, annotated or not"),
        pytest.param(_bundle(args=["x"], pod_annotations={f"{PREFIX}app": "{}"}), "wasm", id="its annotation"),
        pytest.param(_bundle(args=["/bin/app.wasm", "x"]), "wasm", id="a program that is a .wasm file"),
    ],
)
def test_what_a_container_is_told_by_its_config_alone(found: Bundle, expected: str) -> None:
    assert role(found, _not_asked) == expected


@pytest.mark.parametrize(("is_wasm", "expected"), [(True, "wasm"), (False, "container")])
def test_else_its_image_tells(is_wasm: bool, expected: str) -> None:
    found = _bundle(args=["/bin/sh", "x.wasm"], pod_annotations={f"{PREFIX}app": "{}"}, name="sidecar")
    assert role(found, lambda: is_wasm) == expected


@pytest.mark.parametrize("path", ["/dev/termination-log", "/tmp/why"])
def test_the_termination_message_goes_where_the_kubelet_reads_it(path: str) -> None:
    assert termination_log(_bundle(termination_path=path)) == LOG


def test_without_the_kubelets_annotation_the_usual_path_is_tried() -> None:
    spec = bundles.config(Container())
    del spec["annotations"][TERMINATION_PATH]
    assert termination_log(read(spec)) == LOG
    assert termination_log(read({"process": {}})) == ""


@pytest.mark.parametrize(
    ("options", "readonly"),
    [(["rbind", "ro"], True), (["rbind", "rro"], True), (["bind", "ro", "rw"], False), (["rbind"], False)],
)
def test_the_last_word_of_a_mounts_options_counts(options: list[str], readonly: bool) -> None:
    mount = {"destination": "/data/", "source": "/srv", "options": options}
    assert read({"process": {}, "mounts": [mount]}).mount("/data") == Mount("/srv", "/data/", readonly)


def test_of_two_mounts_at_one_path_the_later_covers_the_other() -> None:
    mounts = [{"destination": path, "source": f"/srv{path}", "type": "bind"} for path in ("/data", "/data/")]
    assert read({"process": {}, "mounts": mounts}).mount("/data") == Mount("/srv/data/", "/data/")


def test_only_files_and_folders_of_the_node_are_mounts() -> None:
    assert {mount.guest for mount in _bundle().mounts} == {
        "/etc/hosts",
        "/etc/hostname",
        "/etc/resolv.conf",
        "/dev/shm",
        "/dev/termination-log",
    }


@pytest.mark.parametrize(
    ("spec", "reason", "message"),
    [
        pytest.param([], "plan", "config.json config.json: got a list, expected a mapping", id="a list"),
        pytest.param({}, "plan", "config.json process: got nothing, expected a mapping", id="no process"),
        pytest.param({"process": {"args": "x"}}, "plan", 'process.args: got "x", expected a list', id="args"),
        pytest.param({"process": {"args": [1]}}, "plan", r"process.args\[0\]: got the number 1", id="an argument"),
        pytest.param({"process": {"env": ["A=1", "=2"]}}, "plan", r"process.env\[1\]: got another text", id="env"),
        pytest.param({"process": {"args": ["\ud800"]}}, "plan", r"process.args\[0\]: got", id="a half character"),
        pytest.param({"process": {"args": ["a\0"]}}, "plan", "expected a text without NUL", id="a NUL"),
        pytest.param({"process": {"env": ["A=\0"]}}, "plan", r"process.env\[0\]: got another text", id="a NUL in env"),
        pytest.param({"process": {"cwd": "x"}}, "plan", "process.cwd: got", id="cwd"),
        pytest.param({"process": {}, "annotations": {"a": 1}}, "plan", r"annotations\[a\]: got the number", id="marks"),
        pytest.param({"process": {}, "mounts": {"a": 1}}, "mount", "mounts: got a mapping", id="mounts"),
        pytest.param({"process": {}, "mounts": [1]}, "mount", r"mounts\[0\]: got the number 1", id="a mount"),
        pytest.param(
            {"process": {}, "mounts": [{"type": "bind", "source": "x", "destination": "/d"}]},
            "mount",
            r"mounts\[0\].source: got \"x\", expected an absolute path",
            id="a relative source",
        ),
        pytest.param(
            {"process": {}, "mounts": [{"type": "bind", "source": "/x"}]},
            "mount",
            r"mounts\[0\].destination: got nothing",
            id="no destination",
        ),
    ],
)
def test_a_config_that_is_none_is_refused_by_field(spec: object, reason: str, message: str) -> None:
    with pytest.raises(StartError, match=message) as caught:
        read(spec)
    assert caught.value.reason == reason


def test_a_value_of_the_environment_is_never_told() -> None:
    with pytest.raises(StartError) as caught:
        read({"process": {"env": ["hunter2"]}})
    assert "hunter2" not in str(caught.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
PLACES: tuple[tuple[Any, ...], ...] = (
    ("process",),
    ("process", "args"),
    ("process", "args", 0),
    ("process", "env"),
    ("process", "env", 0),
    ("process", "cwd"),
    ("annotations",),
    ("annotations", f"{PREFIX}app"),
    ("annotations", PORTS),
    ("annotations", TERMINATION_PATH),
    ("annotations", CONTAINER_TYPE),
    ("mounts",),
    ("mounts", 0),
    *(("mounts", -1, name) for name in ("type", "source", "destination", "options")),
)


def _planned(spec: object) -> RunPlan | StartError:
    """Whatever else an error is, it fails the test."""
    try:
        found = read(spec)
        assert role(found, lambda: False) in {"sandbox", "wasm", "container"}
        assert isinstance(termination_log(found), str)
        return from_bundle(found, FILE, lambda: HTTP)
    except StartError as error:
        return error


def _is_plan_or_sentence(found: RunPlan | StartError) -> bool:
    if isinstance(found, StartError):
        return found.reason in {"plan", "mount", "artifact"} and found.message != ""
    return found.wasm == FILE


@given(JSON)
def test_any_document_is_a_config_or_a_start_error(spec: object) -> None:
    assert _is_plan_or_sentence(_planned(spec))


@given(st.sampled_from(PLACES), JSON)
def test_any_value_anywhere_in_a_config_is_taken_or_a_start_error(place: tuple[Any, ...], value: object) -> None:
    spec = bundles.config(Container())
    *above, last = place
    inner: Any = spec
    for step in above:
        inner = inner[step]
    inner[last] = value
    assert _is_plan_or_sentence(_planned(spec))
