"""C to WebAssembly by zig's C compiler: preview-1 modules with a libc, components by the canonical ABI."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from examples.toolchain.interfaces import preview1_adapter, wit
from examples.toolchain.programs import wasm_tools, zig
from examples.toolchain.run import run

SDK = Path(__file__).parent.parent / "sdk"
"""`wasi_http.h`: wasi:http 0.2 by hand, for guests in C."""

WARNINGS = ["-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter"]
SMALL = ["-Oz", "-s"]
FAST = ["-O2", "-s", "-msimd128"]
WITH_DWARF = ["-O1", "-g"]


def preview1(sources: Sequence[Path], out: Path, flags: Sequence[str] = SMALL) -> None:
    """A preview-1 command with zig's WASI libc."""
    run([*zig(), "cc", "-target", "wasm32-wasi", *WARNINGS, *flags, *sources, "-o", out])


def http_component(sources: Sequence[Path], out: Path, flags: Sequence[str] = SMALL, world: str = "http") -> None:
    """A component that exports wasi:http/incoming-handler, or wasi:cli/run in the world `caller`, without any libc."""
    with tempfile.TemporaryDirectory() as folder:
        core = Path(folder) / "core.wasm"
        freestanding = [
            "-target",
            "wasm32-freestanding",
            "-nostdlib",
            "-Wl,--no-entry",
            "-Wl,-z,stack-size=65536",
            f"-I{SDK}",
        ]
        run([*zig(), "cc", *freestanding, *WARNINGS, *flags, *sources, "-o", core])
        componentize(core, out, world)


def command_component(sources: Sequence[Path], out: Path, flags: Sequence[str] = SMALL) -> None:
    """A component that exports wasi:cli/run: a preview-1 command inside the standard adapter."""
    with tempfile.TemporaryDirectory() as folder:
        core = Path(folder) / "core.wasm"
        preview1(sources, core, flags)
        adapter = ["--adapt", f"wasi_snapshot_preview1={preview1_adapter('command')}"]
        run([wasm_tools(), "component", "new", core, *adapter, "-o", out])


def componentize(core: Path, out: Path, world: str) -> None:
    """Wrap a core module that speaks the canonical ABI. world: one of worlds.wit."""
    embedded = core.with_suffix(".embedded.wasm")
    run([wasm_tools(), "component", "embed", wit(), core, "--world", world, "-o", embedded])
    run([wasm_tools(), "component", "new", embedded, "-o", out])
