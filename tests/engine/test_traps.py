"""What wasmtime says becomes an ending, whatever it says."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as some

from wherry.engine.traps import ending_of_text
from wherry.plan.ending import LIMIT_REASONS, TRAP_REASONS, Ending

TEXT = """error while executing at wasm backtrace:
    0:   0x4ec7 - divide
                    at src/main.c:8:52
              - inlined
                    at src/inner.c:1:2
    1:    0x423 - app.wasm!__main_void
    2:     0x3c - <unknown>!<wasm function 0>
note: using the `WASMTIME_BACKTRACE_DETAILS=1` environment variable may show more debugging information

Caused by:
    0: memory fault at wasm address 0xfffffff0 in linear memory of size 0x1020000
    1: wasm trap: out of bounds memory access
"""


def test_frames_and_causes_are_found() -> None:
    assert ending_of_text(TEXT) == Ending(
        134,
        "trap",
        "out-of-bounds",
        "out of bounds memory access: memory fault at wasm address 0xfffffff0 in linear memory of size 0x1020000",
        (
            "divide at src/main.c:8:52",
            "inlined at src/inner.c:1:2",
            "app.wasm!__main_void",
            "<wasm function 0>",
        ),
    )


def test_a_trap_of_a_later_engine_is_another() -> None:
    assert ending_of_text("wasm trap: something new").reason == "other"


def test_an_error_of_the_host_is_told_in_its_words() -> None:
    ending = ending_of_text("the file cabinet is locked")
    assert (ending.reason, ending.sentence) == ("host", "the file cabinet is locked")


def test_an_exit_is_an_exit_only_when_nothing_else_is_said() -> None:
    assert ending_of_text("proc_exit 255") == Ending(255)
    assert ending_of_text("proc_exit 255\nand more").category == "trap"
    assert ending_of_text("proc_exit soon").category == "trap"


@given(some.text() | some.text().map(lambda text: f"error\n    0: x\n\nCaused by:\n{text}"))
def test_any_text_is_an_ending_of_a_known_reason(text: str) -> None:
    ending = ending_of_text(text)
    assert ending.reason in TRAP_REASONS | LIMIT_REASONS
    assert ending.message.count("\n") == len(ending.frames)
