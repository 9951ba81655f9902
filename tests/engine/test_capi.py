"""Our table of the C API says what the generated bindings of the pinned wheel say."""

from __future__ import annotations

import ctypes
import re
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from wasmtime import _bindings

from wherry.engine import capi

SOURCE = Path(capi.__file__).read_text()
DECLARED = re.findall(r'(?:quick|slow)\(\s*"(\w+)"', SOURCE)


def kind(declared: Any) -> str:
    """How a value travels: all pointers alike, numbers by size and sign, nothing as nothing."""
    if declared is None or declared is type(None):
        return "nothing"
    if issubclass(declared, ctypes._SimpleCData) and declared not in (ctypes.c_void_p, ctypes.c_char_p):
        return f"{declared._type_}{ctypes.sizeof(declared)}"
    return "pointer"


def shape(function: Any) -> tuple[str, list[str]]:
    return kind(function.restype), [kind(argument) for argument in function.argtypes]


def declarations() -> dict[str, Any]:
    foreign = tuple({type(capi.config_new), type(capi.engine_delete)})
    functions: list[Any] = [value for value in vars(capi).values() if isinstance(value, foreign)]
    functions += capi.POOLING_TUNABLES.values()
    return {function.__name__: function for function in functions}


def test_every_declaration_is_seen() -> None:
    assert set(DECLARED) <= set(declarations())
    assert len(declarations()) > 80


@pytest.mark.parametrize("name", sorted(declarations()))
def test_a_function_is_declared_as_in_the_generated_bindings(name: str) -> None:
    generated = getattr(_bindings, f"_{name}")
    assert shape(declarations()[name]) == shape(generated)


@pytest.mark.parametrize(
    ("ours", "generated"),
    [
        (capi.Bytes, "wasm_byte_vec_t"),
        (capi.Extern, "wasmtime_extern_t"),
        (capi.Instance, "wasmtime_instance"),
        (capi.Instance, "wasmtime_component_instance"),
        (capi.ComponentFunc, "wasmtime_component_func"),
        (capi.ComponentVal, "wasmtime_component_val"),
    ],
)
def test_a_structure_has_the_size_of_the_generated_one(ours: Any, generated: str) -> None:
    assert ctypes.sizeof(ours) == ctypes.sizeof(getattr(_bindings, generated))


def test_the_installed_wheel_is_the_one_that_the_table_follows() -> None:
    assert version("wasmtime") == capi.VERSION
