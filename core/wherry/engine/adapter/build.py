"""Building the adapter files from source/, byte for byte the same each time: `python -m wherry.engine.adapter.build`.

Needs PyPI's ziglang (a C compiler for Wasm) and wasmtime (the text format); both are in the `dev` extra.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from wherry.wasm.binary import section, sections

SOURCE = Path(__file__).parent / "source"
CORE_MODULE, TABLE = 1, 4
HEAP_START = 8192
"""Where the heap begins, in bytes: below lie the stack and the data of both modules."""

COMPILE = (
    *("cc", "-target", "wasm32-freestanding", "-mbulk-memory", "-O2", "-nostdlib", "-g0"),
    *("-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter", "-Wl,--no-entry", "-Wl,--strip-all"),
)
HEAP_LAYOUT = ("-Wl,-z,stack-size=512", f"-DHEAP_START={HEAP_START}")
CODE_LAYOUT = ("-Wl,--import-memory", "-Wl,--global-base=4096", "-Wl,-z,stack-size=3072")

SHARED = ("bodies.c", "client.c", "codes.c", "fields.c", "host.c", "poll.c")
SERVES = ("-DSERVES", "request.c", "response.c")
DENIED, OUTBOUND = ("denied.c",), ("-DOUTBOUND", "outbound.c")
ADAPTERS = {
    "http": (*SHARED, *SERVES, *DENIED),
    "http-outbound": (*SHARED, *SERVES, *OUTBOUND),
    "command": (*SHARED, *DENIED),
    "command-outbound": (*SHARED, *OUTBOUND),
}


def build(name: str) -> bytes:
    """The adapter file of this name: a component."""
    parts = ADAPTERS[name]
    heap = ("heap.c", *(flag for flag in parts if flag == "-DOUTBOUND"))
    modules = [_compiled(heap, HEAP_LAYOUT), _compiled(parts, CODE_LAYOUT)]
    if name.startswith("http"):
        modules.append(_assembled("driver.wat"))
    return _assembled("natives.wat") + b"".join(section(CORE_MODULE, module) for module in modules)


def _compiled(parts: tuple[str, ...], layout: tuple[str, ...]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "out.wasm"
        command = [sys.executable, "-m", "ziglang", *COMPILE, *layout, *parts, "-o", str(output)]
        subprocess.run(command, cwd=SOURCE, check=True)
        return _without_table(output.read_bytes())


def _without_table(module: bytes) -> bytes:
    """The linker always writes a table; nothing is called through it, and an instance pays for it."""
    kept = (data for data in sections(module) if data.id != TABLE)
    return module[:8] + b"".join(section(data.id, module[data.start : data.end]) for data in kept)


def _assembled(file: str) -> bytes:
    import wasmtime  # noqa: PLC0415  only the build needs the text format

    return bytes(wasmtime.wat2wasm((SOURCE / file).read_text()))


if __name__ == "__main__":
    for adapter in ADAPTERS:
        (SOURCE.parent / f"{adapter}.wasm").write_bytes(build(adapter))
