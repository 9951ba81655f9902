"""The annotation, and plans from it and from what a container was given."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.plan.guests import DIGEST
from wherry.errors import StartError
from wherry.plan import annotation, codec
from wherry.plan.annotation import Annotation, Http
from wherry.plan.from_container import from_container
from wherry.plan.model import Limits, Mount, RunPlan, WasmFile
from wherry.plan.mountinfo import readonly

GOLDEN = Path(__file__).parent / "golden" / "annotation.json"
LIMITS = Limits(memory=64 << 20, timeout=1.5, fuel=1000, concurrency=4)
FULL = Annotation(
    v=1,
    run="http",
    wasm=DIGEST,
    http=Http(port=8080, drain=23.0),
    limits=LIMITS,
    outbound=("https://api.example.com", "https://*.example.com:8443"),
    env=("MODE", "TOKEN"),
    mounts=("/data",),
)


def test_the_annotation_is_this_document() -> None:
    assert annotation.render(FULL) + "\n" == GOLDEN.read_text()
    assert annotation.parse(GOLDEN.read_text()) == FULL


def test_only_named_variables_are_the_guests() -> None:
    environ = {"MODE": "fast", "TOKEN": "t", "PATH": "/bin", "HOME": "/root"}
    plan = from_container(GOLDEN.read_text(), "/w", ("a", "b"), environ, "1 0 0:1 / /data ro - tmpfs t rw")
    assert plan == RunPlan(
        run="http",
        wasm=WasmFile("/w", DIGEST),
        argv=("/app.wasm", "a", "b"),
        env=(("MODE", "fast"), ("TOKEN", "t")),
        mounts=(Mount("/data", "/data", readonly=True),),
        port=8080,
        drain=23.0,
        limits=LIMITS,
        outbound=FULL.outbound,
    )


def test_a_variable_whose_source_gave_nothing_is_absent() -> None:
    assert from_container(GOLDEN.read_text(), "/w", (), {"MODE": "fast"}).env == (("MODE", "fast"),)


def test_a_whole_plan_is_taken_as_it_is_but_for_the_modules_path() -> None:
    plan = RunPlan(run="command", wasm=WasmFile("/elsewhere", DIGEST), argv=("/app.wasm", "x"), env=(("A", "b"),))
    taken = from_container(codec.to_json(plan), "/w", ("ignored",), {"A": "other"})
    assert taken == RunPlan(run="command", wasm=WasmFile("/w", DIGEST), argv=("/app.wasm", "x"), env=(("A", "b"),))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "the plan is no JSON", id="nothing"),
        pytest.param("[]", "plan: got a list, expected a mapping", id="a list"),
        pytest.param('{"v":1,"v":1}', "the key v is there again", id="a key twice"),
        pytest.param('{"v":NaN}', "NaN is no number", id="not a number"),
        pytest.param("[" * 100_000, "no JSON", id="a tower"),
        pytest.param(f'{{"v":{"9" * 5000}}}', "no JSON", id="a number without end"),
        pytest.param('{"v":2}', "plan.v: got the number 2, expected exactly 1", id="a later version"),
        pytest.param('{"v":1,"run":"job"}', 'plan.run: got "job", expected http or command', id="a job"),
        pytest.param(
            '{"v":1,"run":"http"}', "plan.http: got nothing, expected a value, because run is http", id="no port"
        ),
        pytest.param('{"v":1,"wasm":"sha256:0"}', 'plan.wasm: got "sha256:0", expected sha256: and 64', id="no digest"),
        pytest.param('{"v":1,"mounts":["data"]}', r"plan.mounts\[0\]", id="a mount that is no path"),
        pytest.param('{"v":1,"outbound":["x"]}', r"plan.outbound\[0\]", id="an outbound that is no origin"),
        pytest.param(
            '{"v":1,"limit":{}}', "plan.limit: got an unknown field, expected a known one, try limits", id="a slip"
        ),
        pytest.param(" " * (1 << 21), "2097152 characters", id="too long"),
    ],
)
def test_a_document_that_is_no_plan_is_refused_by_name(text: str, message: str) -> None:
    with pytest.raises(StartError, match=message) as caught:
        from_container(text, "/w", (), {})
    assert caught.value.reason == "plan"


def test_every_wrong_field_of_an_annotation_is_told() -> None:
    with pytest.raises(StartError) as caught:
        annotation.parse('{"v":1,"run":"x","wasm":3,"limits":{"memory":-1},"env":[1]}')
    assert caught.value.message.count("expected") == 5


@pytest.mark.parametrize(
    ("path", "expected"),
    [("/data", True), ("/data/rw", False), ("/data/rw/x", False), ("/data2", False), ("/a b", True), ("/", False)],
)
def test_the_nearest_mount_says_whether_a_path_is_read_only(path: str, expected: bool) -> None:
    mounts = (("/", "rw"), ("/data", "ro"), ("/data/rw", "rw"), (r"/a\040b", "ro"))
    text = "".join(f"2 1 0:1 / {point} {way},relatime shared:1 - tmpfs tmpfs rw\n" for point, way in mounts)
    assert readonly(text)(path) is expected
