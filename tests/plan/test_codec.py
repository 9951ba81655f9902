"""Plans as JSON: the document, its round trip, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.plan.guests import DIGEST
from wherry.errors import StartError
from wherry.plan.codec import from_json, to_json
from wherry.plan.model import Limits, Mount, RunPlan, WasmFile

GOLDEN = Path(__file__).parent / "golden" / "plan.json"
FULL = RunPlan(
    run="http",
    wasm=WasmFile("/cache/app.wasm", DIGEST),
    argv=("/app.wasm", "--name=ü", ""),
    env=(("A", "b"), ("C", "")),
    mounts=(Mount("/srv/data", "/data", readonly=True),),
    port=8080,
    drain=12.5,
    limits=Limits(memory=1 << 20, timeout=0.25, fuel=10, concurrency=2),
    outbound=("https://api.example.com",),
)


def _with(**changes: Any) -> str:
    return json.dumps(json.loads(to_json(FULL)) | changes)


def test_a_plan_is_this_document() -> None:
    assert to_json(FULL) + "\n" == GOLDEN.read_text()
    assert from_json(GOLDEN.read_text()) == FULL


def test_a_limit_that_is_not_there_stays_away() -> None:
    plan = RunPlan(run="command", wasm=FULL.wasm)
    assert "timeout" not in to_json(plan)
    assert from_json(to_json(plan)) == plan


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"run": "job"}, 'plan.run: got "job", expected http or command'),
        ({"argv": []}, "plan.argv: got 0 items, expected 1 to"),
        ({"env": [["A", "b"]]}, "plan.env: got a list, expected a mapping"),
        ({"env": {"A": 1}}, r"plan.env\[A\]: got the number 1, expected a string"),
        ({"mounts": [{"host": "a", "guest": "/b"}]}, r"plan.mounts\[0\].host.*plan.mounts\[0\].readonly"),
        ({"drain": -1}, "plan.drain: got the number -1, expected seconds"),
        ({"drain": True}, "plan.drain: got the boolean true"),
        ({"port": 70000}, "plan.port: got the number 70000"),
        ({"wasm": {"path": "app.wasm", "digest": "0"}}, "plan.wasm.path.*plan.wasm.digest"),
        ({"limits": {"memory": 1}}, "plan.limits.concurrency: got nothing"),
        ({"outbound": ["*"]}, r"plan.outbound\[0\]"),
        ({"user": 0}, "plan.user: got an unknown field"),
    ],
)
def test_a_wrong_field_is_told_with_its_path(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(StartError, match=message):
        from_json(_with(**changes))


WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=10)
PATHS = WORDS.map("/{}".format)
MOUNTS = st.lists(st.builds(Mount, PATHS, PATHS, st.booleans()), max_size=3, unique_by=lambda mount: mount.guest)
SECONDS = st.floats(0, 1e9)
PLANS = st.builds(
    RunPlan,
    run=st.sampled_from(["http", "command"]),
    wasm=st.builds(WasmFile, PATHS, st.just(DIGEST)),
    argv=st.lists(WORDS, min_size=1, max_size=4).map(tuple),
    env=st.dictionaries(WORDS, WORDS, max_size=4).map(lambda env: tuple(sorted(env.items()))),
    mounts=MOUNTS.map(tuple),
    port=st.integers(0, 65535),
    drain=SECONDS,
    limits=st.builds(
        Limits,
        memory=st.integers(0, 2**40),
        timeout=st.none() | SECONDS,
        fuel=st.none() | st.integers(1, 2**53),
        concurrency=st.integers(1, 1024),
    ),
    outbound=st.lists(st.sampled_from(["https://a.example", "http://*.b.example:81"]), max_size=2).map(tuple),
)


@given(PLANS)
def test_every_plan_survives_the_way_through_json(plan: RunPlan) -> None:
    assert from_json(to_json(plan)) == plan
