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
    *(
        "cc",
        "-target",
        "wasm32-freestanding",
        "-mbulk-memory",
        "-Os",
        "-nostdlib",
        "-g0",
        "-Wall",
        "-Wextra",
        "-Werror",
    ),
    *("-Wno-unused-parameter", "-Wl,--no-entry", "-Wl,--strip-all", f"-DHEAP_START={HEAP_START}"),
)
HEAP_LAYOUT = ("-Wl,-z,stack-size=512",)
CODE_LAYOUT = ("-Wl,--import-memory", "-Wl,--global-base=4096", "-Wl,-z,stack-size=3072")

SERVED = ("request.c", "response.c")
COMMON = ("fields.c", "codes.c", "host.c", "poll.c", "client.c")
ADAPTERS = {
    "http": (*COMMON, *SERVED, "denied.c"),
}


def build(name: str) -> bytes:
    """The adapter file of this name: a component."""
    modules = [_compiled(("heap.c",), HEAP_LAYOUT), _compiled(ADAPTERS[name], CODE_LAYOUT)]
    if name.startswith("http"):
        modules.append(_assembled("driver.wat"))
    return _assembled("natives.wat") + b"".join(section(CORE_MODULE, module) for module in modules)


def _compiled(files: tuple[str, ...], layout: tuple[str, ...]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "out.wasm"
        command = [sys.executable, "-m", "ziglang", *COMPILE, *layout, *files, "-o", str(output)]
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
