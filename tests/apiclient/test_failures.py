"""What an answer means, from the answers of real API servers and of what stands in front of them."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from wherry.cluster.failures import (
    AlreadyExists,
    ClusterError,
    Conflict,
    Forbidden,
    Gone,
    Invalid,
    NotFound,
    Refused,
    Replaced,
    Throttled,
    Unauthenticated,
    Unavailable,
    failure,
    told,
)
from wherry.cluster.patience import Patience, insist
from wherry.cluster.request import Request
from wherry.cluster.resources import DEPLOYMENT, resource

ASKED = Request(verb="patch", resource=DEPLOYMENT, namespace="shop", name="cart")
BUSY = Patience(attempt=1.0, budget=30.0, first=0.001, most=0.002)


def _status(message: str, reason: str = "", **details: Any) -> dict[str, Any]:
    return {"kind": "Status", "message": message, "reason": reason, "details": details}


@pytest.mark.parametrize(
    ("code", "said", "kind"),
    [
        pytest.param(401, _status("Unauthorized"), Unauthenticated, id="token"),
        pytest.param(403, _status('User "u" cannot patch resource "x"', "Forbidden"), Forbidden, id="role"),
        pytest.param(403, _status('exceeded quota: pods, requested: "1"', "Forbidden"), Refused, id="quota"),
        pytest.param(404, _status("not found", "NotFound"), NotFound, id="absent"),
        pytest.param(409, _status("the object has been modified", "Conflict"), Conflict, id="conflict"),
        pytest.param(409, _status("already exists", "AlreadyExists"), AlreadyExists, id="exists"),
        pytest.param(409, _status("the UID in the precondition (a) does not match"), Replaced, id="another uid"),
        pytest.param(410, _status("too old resource version", "Expired"), Gone, id="expired"),
        pytest.param(413, _status("Request entity too large"), Invalid, id="too large"),
        pytest.param(422, _status("is invalid", "Invalid"), Invalid, id="invalid"),
        pytest.param(429, _status("too many requests"), Throttled, id="throttled"),
        pytest.param(500, _status("etcdserver: request timed out"), Unavailable, id="etcd"),
        pytest.param(500, _status("failed to create typed patch object (x)"), Invalid, id="a field that is not there"),
        pytest.param(418, _status("a teapot"), Refused, id="anything else"),
    ],
)
def test_each_answer_has_its_kind(code: int, said: dict[str, Any], kind: type[ClusterError]) -> None:
    found = failure(ASKED, code, {}, json.dumps(said).encode())
    assert type(found) is kind
    assert found.message.startswith("patch deployments.apps shop/cart: ")


def test_the_causes_of_an_invalid_object_are_told_by_field_and_few() -> None:
    causes = [{"field": f"spec.f{number}", "message": "Required value"} for number in range(7)]
    found = told(ASKED, 422, _status("Deployment is invalid", "Invalid", causes=causes))
    assert found.message == (
        "patch deployments.apps shop/cart: spec.f0: Required value; spec.f1: Required value; "
        "spec.f2: Required value; spec.f3: Required value; spec.f4: Required value; and 2 more"
    )


def test_a_page_from_a_load_balancer_is_quoted() -> None:
    found = failure(ASKED, 503, {}, b"<html>no healthy upstream</html>\n")
    assert str(found) == "patch deployments.apps shop/cart: <html>no healthy upstream</html>"
    assert found.retryable


@pytest.mark.parametrize(
    ("headers", "said", "seconds"),
    [
        pytest.param({"Retry-After": "7"}, _status("slow down"), 7.0, id="header"),
        pytest.param({}, _status("slow down", retryAfterSeconds=3), 3.0, id="details"),
        pytest.param({"Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT"}, _status("slow down"), None, id="a date"),
    ],
)
def test_how_long_to_wait_is_what_the_server_says(
    headers: dict[str, str], said: dict[str, Any], seconds: float | None
) -> None:
    assert failure(ASKED, 429, headers, json.dumps(said).encode()).retry_after == seconds


def test_a_kind_that_is_not_in_the_table_is_a_mistake_of_ours() -> None:
    with pytest.raises(LookupError, match="v1 Endpoints is not in the table"):
        resource("v1", "Endpoints")


def test_what_may_pass_is_tried_again_until_it_does() -> None:
    answers = [Unavailable("a"), Throttled("b", retry_after=0.001), Conflict("c")]

    async def attempt() -> str:
        if answers:
            raise answers.pop(0)
        return "done"

    assert asyncio.run(insist(attempt, BUSY, also=(Conflict,))) == "done"


@pytest.mark.parametrize(
    "final",
    [
        pytest.param(Invalid("no"), id="what will not pass"),
        pytest.param(Throttled("later", retry_after=31.0), id="a wait that is longer than the budget"),
    ],
)
def test_what_waiting_does_not_mend_is_told_at_once(final: ClusterError) -> None:
    attempts = []

    async def attempt() -> None:
        attempts.append(1)
        raise final

    with pytest.raises(type(final)):
        asyncio.run(insist(attempt, BUSY))
    assert len(attempts) == 1


def test_patience_ends() -> None:
    async def attempt() -> None:
        raise Unavailable("out")

    with pytest.raises(Unavailable):
        asyncio.run(insist(attempt, Patience(budget=0.05, first=0.001, most=0.002)))


def test_a_server_that_asks_for_a_pause_gets_it() -> None:
    answers = [Throttled("busy", retry_after=0.3)]

    async def scenario() -> float:
        loop = asyncio.get_running_loop()
        began = loop.time()

        async def attempt() -> float:
            if answers:
                raise answers.pop()
            return loop.time() - began

        return await insist(attempt, BUSY)

    assert asyncio.run(scenario()) >= 0.3


def test_delays_double_up_to_a_bound_and_are_spread() -> None:
    patience = Patience(first=1.0, most=8.0)
    assert [patience.delay(failures, 1.0) for failures in (0, 1, 2, 3, 4, 99)] == [1, 2, 4, 8, 8, 8]
    assert patience.delay(0, 0.0) == 0.5
