"""What are these bytes? Kind, WASI version, world, imports and exports, read without compiling.

Only top-level sections are walked and only names are decoded, so that a large component costs no more than a small one.
A full validation is the compiler's; what passes here may still fail there.
"""

from __future__ import annotations

from wherry.errors import InvalidModule
from wherry.wasm import component, core
from wherry.wasm.binary import COMPONENT, MAGIC, MODULE, PREAMBLE, Bytes
from wherry.wasm.foreign import foreign
from wherry.wasm.module import Inspection, Kind
from wherry.wasm.names import Names
from wherry.wasm.world import run_of, wasi_of, world_of


def inspect(data: Bytes) -> Inspection:
    """Read a whole binary: bytes, a memoryview or a mapped file.

    Raises InvalidModule: not WebAssembly (what it is instead, where that can be told), another version of the format,
    truncated, or with counts that cannot be.
    """
    with memoryview(data) as view:
        kind = kind_of(view)
        names = component.names(view) if kind == "component" else core.names(view)
    return inspection(kind, names, len(data))


def kind_of(data: Bytes) -> Kind:
    """Module or component, by the first 8 bytes. Raises InvalidModule."""
    head = bytes(data[:PREAMBLE])
    if head == MODULE:
        return "module"
    if head == COMPONENT:
        return "component"
    if head.startswith(MAGIC):
        raise _version(head)
    raise foreign(bytes(data[:4096]))


def inspection(kind: Kind, names: Names, size: int) -> Inspection:
    """What a binary of these names says of itself; size: its bytes."""
    wasi = wasi_of(kind, names)
    return Inspection(
        kind=kind,
        wasi=wasi,
        world=world_of(kind, names),
        imports=names.imports,
        exports=names.exports,
        size=size,
        run=run_of(kind, names),
    )


def _version(head: bytes) -> InvalidModule:
    if len(head) < PREAMBLE:
        return InvalidModule(f"truncated WebAssembly: got {len(head)} bytes, expected at least {PREAMBLE}")
    version, layer = (int.from_bytes(head[at : at + 2], "little") for at in (4, 6))
    return InvalidModule(
        f"WebAssembly binary version {version}, layer {layer}: expected a module (1, 0) or a component (13, 1)",
        cure="rebuild it with a current toolchain",
    )
