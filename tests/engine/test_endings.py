"""How a command ends is told truly: its own code, a trap with its place, a limit, a start that failed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import guests
from tests.support.commands import ours, plan_of, theirs, wasm_file
from wherry.errors import StartError
from wherry.plan.ending import TRAP_REASONS, Ending
from wherry.plan.model import Limits, Mount, RunPlan, WasmFile

KINDS: dict[str, Callable[[str], Path]] = {"module": guests.command, "component": guests.command_component}

TRAPS = {
    "unreachable": "unreachable",
    "abort": "unreachable",
    "out-of-bounds": "out-of-bounds",
    "divide": "divide-by-zero",
    "overflow": "integer-overflow",
    "null-call": "indirect-call-to-null",
    "bad-signature": "bad-signature",
    "recurse": "stack-overflow",
}

INSTRUCTIONS = {
    "table-out-of-bounds": "(table 1 funcref) (type $t (func)) (func $f i32.const 9 call_indirect (type $t))",
    "bad-conversion": "(func $f f32.const nan i32.trunc_f32_s drop)",
    "unaligned-atomic": "(memory 1) (func $f i32.const 1 i32.atomic.load drop)",
    "null-reference": "(type $t (func)) (func $f ref.null $t call_ref $t)",
    "other": "(memory 1) (func $f i32.const 0 i32.const 0 i64.const -1 memory.atomic.wait32 drop)",
}


def start(body: str) -> Path:
    """A module whose `_start` is $f of the body."""
    return guests.wat(f'(module {body} (export "_start" (func $f)))')


@pytest.mark.parametrize("code", [0, 1, 42, 125, 126, 255])
def test_the_exit_code_of_a_module_is_passed_through(code: int) -> None:
    outcome = ours(plan_of(guests.command("exit"), str(code)))
    assert outcome.ending == Ending(code)
    assert outcome.stderr == b"leaving\n"


@pytest.mark.parametrize("code", [0, 1, 42])
def test_a_component_succeeds_or_fails_as_in_wasmtime_itself(code: int) -> None:
    plan = plan_of(guests.command_component("exit"), str(code))
    assert ours(plan).ending == theirs(plan).ending


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("way", "reason"), TRAPS.items())
def test_a_trap_is_told_by_its_reason(way: str, reason: str, kind: str) -> None:
    ending = ours(plan_of(KINDS[kind]("hostile"), way)).ending
    assert (ending.code, ending.category, ending.reason) == (134, "trap", reason)
    assert ending.frames


@pytest.mark.parametrize(("reason", "body"), INSTRUCTIONS.items())
def test_a_trap_of_a_single_instruction_is_told_by_its_reason(reason: str, body: str) -> None:
    ending = ours(plan_of(start(body))).ending
    assert (ending.code, ending.category, ending.reason) == (134, "trap", reason)


def test_every_trap_reason_but_that_of_the_host_is_reached_by_a_test() -> None:
    assert {*TRAPS.values(), *INSTRUCTIONS} == TRAP_REASONS - {"host"}


def test_a_backtrace_has_names_files_and_lines_where_the_guest_has_dwarf() -> None:
    ending = ours(plan_of(guests.command_with_dwarf("hostile"), "divide")).ending
    line = next(n for n, text in enumerate(source("hostile"), 1) if "return 7 / zero" in text)
    assert ending.frames[0].startswith("divide at ")
    assert f"hostile.c:{line}:" in ending.frames[0]
    assert ending.message.startswith("trap/divide-by-zero: ")


def test_names_of_rust_and_cpp_are_demangled() -> None:
    rust, cpp = "$_ZN4core9panicking5panic17h0123456789abcdefE", "$_ZNSt6vectorIiSaIiEE9push_backEOi"
    ending = ours(plan_of(start(f"(func {rust} unreachable) (func {cpp} call {rust}) (func $f call {cpp})"))).ending
    assert ending.frames[0].startswith("core::panicking::panic")
    assert ending.frames[1].startswith("std::vector<int")


def test_a_message_of_a_deep_backtrace_is_at_most_4096_bytes() -> None:
    name = "$" + "long" * 200
    assert len(ours(plan_of(start(f"(func {name} call {name}) (func $f call {name})"))).ending.message) <= 4096


def test_a_trap_in_a_component_has_its_backtrace() -> None:
    ending = ours(plan_of(guests.command_component("hostile"), "abort")).ending
    assert any("_start" in frame or "wasm function" in frame for frame in ending.frames)


def test_fuel_ends_a_guest_and_is_counted() -> None:
    outcome = ours(plan_of(guests.command("hostile"), "loop", limits=Limits(fuel=1_000_000)))
    assert (outcome.ending.code, outcome.ending.category, outcome.ending.reason) == (124, "limit", "fuel")
    assert "1000000 fuel" in outcome.reports[-1]


def test_fuel_that_suffices_changes_nothing_and_is_the_same_each_time() -> None:
    plan = plan_of(guests.command("exit"), "3", limits=Limits(fuel=10_000_000))
    first, second = ours(plan), ours(plan)
    assert first.ending == Ending(3)
    used = [word for word in first.reports[-1].split(", ") if word.endswith(" fuel")]
    assert used
    assert used == [word for word in second.reports[-1].split(", ") if word.endswith(" fuel")]


@pytest.mark.parametrize(("kind", "code"), [("module", 3), ("component", 1)])
@pytest.mark.parametrize("way", ["grow", "touch"])
def test_memory_stops_growing_at_the_limit(way: str, kind: str, code: int) -> None:
    outcome = ours(plan_of(KINDS[kind]("hostile"), way, limits=Limits(memory=32 << 20)))
    assert outcome.ending == Ending(code)
    assert 0 < int(outcome.stderr.split()[-2]) < 32


@pytest.mark.parametrize(("pages", "told"), [(500, True), (100, False)])
def test_a_trap_with_nearly_full_memory_says_so(pages: int, told: bool) -> None:
    grown = f'(memory (export "memory") 1) (func $f (drop (memory.grow (i32.const {pages}))) unreachable)'
    ending = ours(plan_of(start(grown), limits=Limits(memory=32 << 20))).ending
    assert ending.reason == "unreachable"
    assert ("31 MiB of the 32 MiB" in ending.sentence) == told


def test_a_table_stops_growing_before_it_takes_the_hosts_memory() -> None:
    grown = "(table $t 1 funcref) (func $f (if (i32.ne (table.grow $t (ref.null func) (i32.const 100000000)) "
    assert ours(plan_of(start(grown + "(i32.const -1)) (then unreachable)))"))).ending == Ending(0)


@pytest.mark.parametrize("memories", ["(memory 4096)", "(memory 1000)" * 20])
def test_more_memory_than_the_limit_from_the_start_is_a_start_error(memories: str) -> None:
    with pytest.raises(StartError, match="memory") as refused:
        ours(plan_of(start(f"{memories} (func $f)")))
    assert refused.value.reason == "memory"


def test_memory_that_threads_could_share_is_refused_since_waits_on_it_cannot_be_ended() -> None:
    wait = "(func $f (drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1))))"
    with pytest.raises(StartError, match="shared memory"):
        ours(plan_of(start(f"(memory 1 1 shared) {wait}"), limits=Limits(timeout=10)))


def test_a_start_function_that_traps_is_a_start_error() -> None:
    module = guests.wat('(module (func $s unreachable) (start $s) (func (export "_start")))')
    with pytest.raises(StartError, match="unreachable") as refused:
        ours(plan_of(module))
    assert refused.value.reason == "instantiate"


@pytest.mark.parametrize(
    ("body", "limits", "code"),
    [
        ("(call $exit (i32.const 3))", Limits(), 3),
        ("(loop $more (br $more))", Limits(fuel=1000), 124),
        ("(loop $more (br $more))", Limits(timeout=0.1), 124),
    ],
)
def test_a_start_function_that_exits_or_reaches_a_limit_ends_the_guest(body: str, limits: Limits, code: int) -> None:
    module = guests.wat(f"""(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
      (memory (export "memory") 1) (func $s {body}) (start $s) (func (export "_start")))""")
    assert ours(plan_of(module, limits=limits)).ending.code == code


@pytest.mark.parametrize(
    ("text", "reason", "said"),
    [
        ('(module (import "env" "magic" (func)) (func (export "_start")))', "missing-import", "env.magic"),
        ("(module (func))", "unsupported", "it exports nothing"),
        ('(module (func (export "main")))', "unsupported", "it exports main"),
        (
            '(component (import "wasi:keyvalue/store@0.2.0" (instance)) (instance $i)'
            ' (export "wasi:cli/run@0.2.0" (instance $i)))',
            "missing-import",
            "wasi:keyvalue/store@0.2.0",
        ),
        ('(component (instance $i) (export "wasi:cli/run@0.3.2" (instance $i)))', "unsupported", "WASI 0.3"),
    ],
)
def test_what_cannot_run_here_is_refused_by_name(text: str, reason: str, said: str) -> None:
    with pytest.raises(StartError, match=said.replace(".", r"\.")) as refused:
        ours(plan_of(guests.wat(text)))
    assert refused.value.reason == reason
    assert refused.value.cure


def test_a_folder_that_is_not_there_is_a_start_error(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="is nothing, expected a folder") as refused:
        ours(plan_of(guests.command("exit"), mounts=(Mount(str(tmp_path / "none"), "/data"),)))
    assert refused.value.reason == "mount"


def test_an_argument_with_a_nul_byte_is_a_start_error() -> None:
    with pytest.raises(StartError, match="NUL") as refused:
        ours(plan_of(guests.command("exit"), "a\0b"))
    assert refused.value.reason == "plan"


def test_a_file_that_is_not_there_is_a_start_error(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="expected a Wasm file") as refused:
        ours(RunPlan("command", WasmFile(str(tmp_path / "none.wasm"), "sha256:" + "0" * 64)))
    assert refused.value.reason == "artifact"


def test_bytes_that_are_no_module_are_a_start_error(tmp_path: Path) -> None:
    (tmp_path / "text.wasm").write_text("#!/bin/sh\necho no\n")
    with pytest.raises(StartError) as refused:
        ours(RunPlan("command", wasm_file(tmp_path / "text.wasm")))
    assert refused.value.reason == "invalid-module"


def source(name: str) -> list[str]:
    return (guests.SOURCES / "command" / f"{name}.c").read_text().splitlines()
