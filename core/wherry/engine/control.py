"""Host imports of a composed component: the interface `wherry:host/control` of adapter/README.md."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from ctypes import byref, c_uint64, c_void_p, string_at

from wherry.engine import capi
from wherry.errors import StartError

Import = Callable[[int, int], None]
"""Called in the guest's thread with the addresses of its arguments and of its result, component values both."""

_INTERFACE = b"wherry:host/control"


def define(linker: int, imports: Mapping[bytes, Import]) -> list[object]:
    """Add the imports to a component linker. Keep what is returned while the linker is used."""
    root, instance = capi.component_linker_root(linker), c_void_p()
    check(capi.component_linker_instance_add_instance(root, _INTERFACE, len(_INTERFACE), byref(instance)))
    callbacks: list[object] = []
    for name, function in imports.items():
        callback = capi.ComponentHostCall(_guarded(function))
        callbacks.append(callback)
        check(capi.component_linker_instance_add_func(instance, name, len(name), callback, None, None))
    capi.component_linker_instance_delete(instance)
    capi.component_linker_instance_delete(root)
    return callbacks


def egress_text(port: int, secret: str, seconds: float) -> bytes:
    """What the host import `egress` answers. seconds: left for the request; 0 is no limit."""
    return f"{port}\n{secret}\n{int(seconds * 1000)}".encode()


def put_text(at: int, text: bytes) -> None:
    """Make the component value at `at` this UTF-8 text; it owns a copy."""
    c_uint64.from_address(at).value = capi.COMPONENT_STRING
    capi.byte_vec_new(at + 8, len(text), text)


def text_at(at: int) -> bytes:
    """The UTF-8 text that a component value holds."""
    size, data = (c_uint64 * 2).from_address(at + 8)
    return string_at(data, size)


def check(error: int | None) -> None:
    """Raise StartError for an error of preparing a linker or a store."""
    if error:
        raise StartError("instantiate", capi.take_error(error))


def _guarded(function: Import) -> Callable[..., int | None]:
    """The C API's shape of a host import; what it raises ends the guest."""

    def call(*given: int) -> int | None:
        _environment, _context, _type, arguments, _n, results, _m = given
        try:
            function(arguments, results)
        except Exception as fault:
            error: int = capi.error_new(f"{type(fault).__name__}: {fault}".encode())
            return error
        return None

    return call
