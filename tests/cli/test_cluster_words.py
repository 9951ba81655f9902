"""What the commands for a cluster make of what they are given, without one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from wherry.errors import InputError
from wherry.spec.status import ArtifactStatus, Condition, Revision, Status
from wherry_cli import status as page
from wherry_cli.logs import lines, prefixes_of, query_of
from wherry_cli.main import name_of
from wherry_cli.rollback import chosen
from wherry_cli.scale import who_decides

ONE, TWO, THREE = ("sha256:" + each * 64 for each in "123")
HISTORY = Status(
    artifact=ArtifactStatus(digest=THREE),
    revisions=tuple(
        Revision(digest=each, reference=f"ghcr.io/acme/hello:v{each[7]}", since="2026-01-31T12:00:00Z")
        for each in (THREE, TWO, ONE)
    ),
)


@pytest.mark.parametrize(
    ("to", "digest"),
    [
        pytest.param("1", TWO, id="one back"),
        pytest.param("2", ONE, id="two back"),
        pytest.param(ONE, ONE, id="by digest"),
        pytest.param("111111", ONE, id="by its beginning"),
        pytest.param("sha256:2222222", TWO, id="by its beginning, with the algorithm"),
        pytest.param("sha256:" + "4" * 64, "sha256:" + "4" * 64, id="one that never ran"),
    ],
)
def test_a_revision_is_named_by_number_or_digest(to: str, digest: str) -> None:
    assert chosen("hello", HISTORY, to) == digest


@pytest.mark.parametrize(
    ("to", "message"),
    [
        pytest.param("3", f"--to: got 3, expected one of 1 ({TWO[:19]} of ghcr.io/acme/hello:v2), 2 (", id="too far"),
        pytest.param("0", f"--to: {THREE} is what runs already", id="what runs"),
        pytest.param("11111", "--to: got 11111, expected one of", id="too short"),
        pytest.param("v2", "--to: got v2, expected one of", id="a tag"),
        pytest.param("sha256:", "--to: got sha256:, expected one of", id="all of them"),
    ],
)
def test_what_is_no_revision_lists_those_that_are(to: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        chosen("hello", HISTORY, to)
    assert caught.value.message.startswith(message)


def test_an_app_without_history_has_nothing_to_go_back_to() -> None:
    with pytest.raises(InputError, match="of which there is none to go back to; wherry status hello"):
        chosen("hello", Status(), "1")


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ({"autoscaling": {"min": 2, "max": 5}}, "spec.autoscaling decides: 2 to 5"),
        ({"scope": "everyNode"}, "spec.scope is everyNode"),
        ({"run": "cron"}, "spec.run is cron"),
    ],
)
def test_replicas_may_be_a_word_without_meaning(spec: dict[str, Any], why: str) -> None:
    decides = who_decides(spec)
    assert decides is not None
    assert decides[0] == why
    assert decides[1]


def test_replicas_count_otherwise() -> None:
    assert who_decides({"artifact": "a", "run": "http", "scope": "replicas", "replicas": 1}) is None


def test_lines_are_whole_however_they_arrive() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for piece in (b"a", b"b\nc\n\n", b"", "ü".encode()[:1], "ü".encode()[1:]):
            yield piece

    async def collected() -> list[bytes]:
        return [line async for line in lines(pieces())]

    assert asyncio.run(collected()) == [b"ab\n", b"c\n", b"\n", "ü\n".encode()]


def test_a_log_is_asked_for_as_the_api_server_takes_it() -> None:
    assert query_of("app", follow=False, tail=None, previous=False) == {"container": "app"}
    asked = query_of("cache", follow=True, tail=0, previous=True)
    assert asked == {"container": "cache", "follow": "true", "previous": "true", "tailLines": "0"}
    assert prefixes_of(["a"]) == {"a": b""}
    assert prefixes_of(["a", "b"]) == {"a": b"a  ", "b": b"b  "}


def test_a_condition_of_several_sentences_has_a_line_for_each() -> None:
    condition = Condition(
        type="Ready",
        status="False",
        reason="InvalidSpec",
        message="one\ntwo",
        last_transition_time="2026-01-31T12:00:00Z",
    )
    first, second = page.condition_lines(condition)
    assert first.endswith("InvalidSpec: one")
    assert second == "  two"


def test_what_is_in_the_way_is_told_once_and_a_warning_stays() -> None:
    def condition(kind: Any, message: str) -> Condition:
        time = "2026-01-31T12:00:00Z"
        return Condition(type=kind, status="False", reason="NoNodes", message=message, last_transition_time=time)

    told = page.told_once([condition("Available", "no node"), condition("Ready", "no node; warning: too much")])
    assert [each.message for each in told] == ["no node", "warning: too much"]


def test_a_pod_that_is_going_is_said_to_be() -> None:
    pod = {"metadata": {"name": "a", "deletionTimestamp": "2026-01-31T12:00:00Z"}, "status": {"phase": "Running"}}
    assert page.brief(pod) == {"name": "a", "phase": "Terminating", "ready": False, "restarts": 0, "node": ""}


def test_the_program_has_the_name_under_which_it_was_found() -> None:
    assert name_of("/usr/bin/wherry") == "wherry"
    assert name_of("/usr/local/bin/kubectl-wherry") == "kubectl wherry"
