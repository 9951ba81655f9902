"""Composing: real guests of every toolchain, and guests that cannot be composed."""

from collections.abc import Callable
from pathlib import Path

import pytest
import wasmtime

from tests.support import guests
from tests.support.composed import Request, ask, call, engine
from wherry.engine.adapter.compose import Adapter, compose
from wherry.engine.adapter.outline import read_outline
from wherry.errors import InvalidModule, StartError

UNANSWERED = 2


@pytest.mark.parametrize(
    ("make", "path", "expected"),
    [
        (lambda: guests.http("hello"), "/", b"hello"),
        pytest.param(
            guests.javascript, "/abc", b"Hello from JavaScript", marks=[pytest.mark.slow, pytest.mark.toolchain]
        ),
        pytest.param(guests.python, "/abc", b"Hello from Python", marks=[pytest.mark.slow, pytest.mark.toolchain]),
    ],
    ids=["c", "javascript", "python"],
)
def test_a_guest_of_this_toolchain_answers(make: Callable[[], Path], path: str, expected: bytes) -> None:
    answer = ask(make(), Request(path))

    assert answer.status == b"200"
    assert expected in answer.body


@pytest.mark.parametrize("adapter", ["http", "command"])
def test_without_a_grant_the_hosts_client_is_not_even_imported(adapter: Adapter) -> None:
    guest = guests.http("outbound") if adapter == "http" else guests.command_component("hostile")

    imports = {interface.base for interface in read_outline(compose(guest.read_bytes(), adapter)).imports}

    assert not [name for name in imports if name.startswith("wasi:http/")]


def test_a_composition_is_the_same_each_time(types: Path) -> None:
    assert compose(types.read_bytes(), "http") == compose(types.read_bytes(), "http")


def test_a_command_that_waits_for_nothing_stays_as_it_is() -> None:
    guest = bytes(wasmtime.wat2wasm(COMMAND))

    assert compose(guest, "command") == guest


def test_a_command_keeps_its_interface() -> None:
    guest = guests.command_component("hostile").read_bytes()

    assert read_outline(compose(guest, "command")).exports == read_outline(guest).exports


@pytest.mark.parametrize("version", ["0.2.0", "0.2.3", "0.2.99"])
def test_every_patch_version_is_served(version: str) -> None:
    composed = compose(bytes(wasmtime.wat2wasm(SMALLEST.format(version=version))), "http")

    assert call(wasmtime.component.Component(engine(), composed), Request()).ending == UNANSWERED


def test_a_function_that_is_not_there_is_a_missing_import() -> None:
    text = SMALLEST.format(version="0.2.0").replace(
        "[method]outgoing-response.set-status-code", "[method]outgoing-response.paint"
    )

    with pytest.raises(StartError, match=r"outgoing-response\.paint") as caught:
        compose(bytes(wasmtime.wat2wasm(text)), "http")
    assert caught.value.reason == "missing-import"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("(component)", "no export of wasi:http/incoming-handler"),
        ('(component (import "f" (func)))', "an import that is no interface, f"),
        ('(component (import "c" (component)))', "a type of kind 0x41"),
        ('(component (import "t" (type (sub resource))))', "an import that is no interface, t"),
        ('(component (import "i:i/i" (instance (export "n" (instance)))))', "a type of kind 0x42"),
    ],
)
def test_what_cannot_be_composed_is_unsupported(text: str, complaint: str) -> None:
    with pytest.raises(StartError, match=complaint) as caught:
        compose(bytes(wasmtime.wat2wasm(text)), "http")
    assert caught.value.reason == "unsupported"


@pytest.mark.parametrize("data", [b"", b"\0asm\x01\0\0\0", b"\0asm\x0d\0\1\0\x0a\x05\x01"])
def test_bytes_that_are_no_component_are_invalid(data: bytes) -> None:
    with pytest.raises(InvalidModule):
        compose(data, "http")


COMMAND = """(component
  (core module $m (func (export "run") (result i32) (i32.const 0)))
  (core instance $i (instantiate $m))
  (func $run (result (result)) (canon lift (core func $i "run")))
  (instance $run (export "run" (func $run)))
  (export "wasi:cli/run@0.2.6" (instance $run)))"""

SMALLEST = """(component
  (import "wasi:http/types@{version}" (instance $types
    (export "fields" (type $fields (sub resource)))
    (export "incoming-request" (type (sub resource)))
    (export "outgoing-response" (type $response (sub resource)))
    (export "response-outparam" (type $outparam (sub resource)))
    (type $code' (variant (case "other")))
    (export "error-code" (type $code (eq $code')))
    (export "[constructor]fields" (func (result (own $fields))))
    (export "[constructor]outgoing-response" (func (param "headers" (own $fields)) (result (own $response))))
    (export "[method]outgoing-response.set-status-code" (func
      (param "self" (borrow $response)) (param "status-code" u16) (result (result))))))
  (alias export $types "incoming-request" (type $request))
  (alias export $types "response-outparam" (type $outparam))
  (core func $fields (canon lower (func $types "[constructor]fields")))
  (core func $response (canon lower (func $types "[constructor]outgoing-response")))
  (core func $status (canon lower (func $types "[method]outgoing-response.set-status-code")))
  (core module $m
    (import "" "fields" (func $fields (result i32)))
    (import "" "response" (func $response (param i32) (result i32)))
    (import "" "status" (func $status (param i32 i32) (result i32)))
    (func (export "handle") (param i32 i32)
      (drop (call $status (call $response (call $fields)) (i32.const 204)))))
  (core instance $i (instantiate $m (with "" (instance
    (export "fields" (func $fields)) (export "response" (func $response)) (export "status" (func $status))))))
  (func $handle (param "request" (own $request)) (param "response-out" (own $outparam))
    (canon lift (core func $i "handle")))
  (component $shape
    (import "request" (type $request (sub resource)))
    (import "outparam" (type $outparam (sub resource)))
    (import "handle" (func $handle (param "request" (own $request)) (param "response-out" (own $outparam))))
    (export "incoming-request" (type $request))
    (export "response-outparam" (type $outparam))
    (export "handle" (func $handle)))
  (instance $handler (instantiate $shape
    (with "request" (type $request)) (with "outparam" (type $outparam)) (with "handle" (func $handle))))
  (export "wasi:http/incoming-handler@{version}" (instance $handler)))"""
