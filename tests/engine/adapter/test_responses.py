"""How a guest answers, in the terms of the control protocol."""

from pathlib import Path

import pytest
import wasmtime

from tests.support.composed import Request, ask, serve_many

COMPLETE, COMPLETE_WITH_TRAILERS, UNANSWERED, INCOMPLETE = range(4)
TWO = [(b"x-one", b"1"), (b"x-two", b"2")]
TWO_TRAILERS = ((b"x-t", b"1"), (b"x-u", b"2"))


def test_a_head_and_a_body(types: Path) -> None:
    answer = ask(types, Request("/options"))

    assert (answer.ending, answer.status) == (COMPLETE, b"200")
    assert answer.headers == [(b"content-type", b"text/plain")]


def test_a_response_without_a_body(types: Path) -> None:
    answer = ask(types, Request("/bodyless"))

    assert (answer.ending, answer.head, answer.body) == (COMPLETE, [b"200"], b"")


def test_trailers(types: Path) -> None:
    answer = ask(types, Request("/with-trailers"))

    assert (answer.ending, answer.body) == (COMPLETE_WITH_TRAILERS, b"body")
    assert answer.trailers == "x-sum\n42\nx-latin\né"


def test_no_response(types: Path) -> None:
    assert ask(types, Request("/unanswered")).ending == UNANSWERED


def test_a_body_that_is_not_finished(types: Path) -> None:
    answer = ask(types, Request("/unfinished"))

    assert (answer.ending, answer.body) == (INCOMPLETE, b"half")


def test_an_error_code_instead_of_a_response(types: Path) -> None:
    answer = ask(types, Request("/failing"))

    assert (answer.ending, answer.head) == (COMPLETE, [b"0", b"TLS-alert-received"])


@pytest.mark.parametrize(("path", "body"), [("/stream-first", b"after"), ("/written-first", b"before, after")])
def test_the_head_precedes_what_is_written_before_it_is_set(types: Path, path: str, body: bytes) -> None:
    answer = ask(types, Request(path))

    assert (answer.status, answer.headers, answer.body, answer.replaced) == (b"200", TWO, body, [])


def test_a_status_that_changed_after_the_head_replaces_it(types: Path) -> None:
    answer = ask(types, Request("/changed"))

    assert (answer.status, answer.body) == (b"200", b"before, after")
    assert answer.replaced == ["201\nx-one\n1\nx-two\n2"]


@pytest.mark.parametrize("path", ["/dropped-response", "/changed-to-error"])
def test_an_error_after_the_head_replaces_it(types: Path, path: str) -> None:
    assert ask(types, Request(path)).replaced == ["0\nTLS-alert-received"]


def test_a_trap_is_an_error_of_the_call(types: Path) -> None:
    with pytest.raises(wasmtime.WasmtimeError, match="unreachable"):
        ask(types, Request("/trap"))


def test_a_request_leaves_nothing_for_the_next(types: Path) -> None:
    first = ask(types, Request("/with-trailers"))

    assert ask(types, Request("/bodyless")).ending == COMPLETE
    assert ask(types, Request("/with-trailers")) == first


def test_an_instance_may_serve_many_requests_in_the_same_memory(types: Path) -> None:
    long = ((b"x-long", b"v" * 4000),)
    paths = ["/with-trailers", "/bodyless", "/stream-first", "/unanswered", "/options", "/failing"]
    requests = [Request(paths[i % len(paths)], headers=long, trailers=TWO_TRAILERS) for i in range(3000)]

    endings = serve_many(types, requests, memory=1 << 20)

    assert endings == [COMPLETE_WITH_TRAILERS, COMPLETE, COMPLETE, UNANSWERED, COMPLETE, COMPLETE] * 500
