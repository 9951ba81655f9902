"""The routines in machine code: what they do, on either machine, and what their bytes say."""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from examples.toolchain.programs import zig
from examples.toolchain.run import run
from wherry.engine import routines
from wherry.engine.routines import MACHINES, mapped

SOURCE = Path(__file__).parent / "routines.c"
BRANCHES = {
    "x86_64": {
        "walk": ["je 96", "jne 96", "jmp 13"],
        "spread": ["je 26", "jne 12", "jne 5"],
        "restore": ["je 36", "jne 11"],
    },
    "aarch64": {
        "walk": ["b.eq 112", "b.ne 112", "b 20"],
        "spread": ["cbz 24", "cbnz 8", "b.ne 4"],
        "restore": ["cbz 36", "b.ne 12", "b.ne 4"],
    },
}
CALLS = {"x86_64": "call", "aarch64": "blr"}
NAMES = ("walk", "spread", "itself", "restore", "extent")
INSTRUCTION = re.compile(r"^\s*[0-9a-f]+:\s+(?P<name>[a-z][a-z.0-9]*)(?:\s.*?)?(?:(?P<target>0x[0-9a-f]+) <.*)?$", re.M)


def program(folder: Path, machine: str) -> Path:
    """routines.c with the routines of a machine in it."""
    header = [
        f'CODE(".text.{name}") {name}[] = {{{", ".join(map(str, code))}}};'
        for name, code in zip(NAMES, MACHINES[machine](), strict=True)
    ]
    (folder / "routines.h").write_text("\n".join(header))
    target = folder / machine
    flags = ["-target", f"{machine}-linux-musl", "-static", "-nostdlib", "-O1"]
    run([*zig(), "cc", SOURCE, *flags, "-I", folder, "-o", target])
    return target


def test_they_do_on_this_machine_what_they_say(tmp_path: Path) -> None:
    assert subprocess.run([program(tmp_path, platform.machine())], check=False).returncode == 0


def test_they_do_the_same_on_the_other_machine(tmp_path: Path) -> None:
    other = next(machine for machine in MACHINES if machine != platform.machine())
    if (emulator := shutil.which(f"qemu-{other}")) is None:
        pytest.skip(f"needs an emulator of {other}: apt-get install qemu-user")
    assert subprocess.run([emulator, program(tmp_path, other)], check=False).returncode == 0


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("machine", MACHINES)
def test_a_disassembler_finds_instructions_whose_jumps_stay_inside(machine: str, name: str, tmp_path: Path) -> None:
    if not (shutil.which("llvm-objcopy") and shutil.which("llvm-objdump")):
        pytest.skip("needs a disassembler for either machine: apt-get install llvm")
    (tmp_path / "code").write_bytes(MACHINES[machine]()[NAMES.index(name)])
    form = {"x86_64": "elf64-x86-64", "aarch64": "elf64-littleaarch64"}[machine]
    section = ["--rename-section", ".data=.text,code"]
    subprocess.run(["llvm-objcopy", "-I", "binary", "-O", form, *section, "code", "object"], cwd=tmp_path, check=True)
    dump = ["llvm-objdump", "-d", "--no-show-raw-insn", "--x86-asm-syntax=intel", "object"]
    listing = subprocess.run(dump, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    found = [(each["name"], each["target"]) for each in INSTRUCTION.finditer(listing)]
    assert "unknown" not in listing
    assert [f"{each} {int(target, 16)}" for each, target in found if target] == BRANCHES[machine].get(name, [])
    leaves = [CALLS[machine], "ret"] if name == "walk" else ["ret"]
    assert [each for each, _ in found if each in ("call", "blr", "ret")] == leaves
    assert found[-1] == ("ret", None)


def test_their_memory_is_executable_and_cannot_be_written() -> None:
    address = mapped(b"".join(MACHINES[platform.machine()]()))
    spans = re.findall(r"^([0-9a-f]+)-([0-9a-f]+) (\S+)", Path("/proc/self/maps").read_text(), re.M)
    assert [rights for low, high, rights in spans if int(low, 16) <= address < int(high, 16)] == ["r-xp"]


def test_memory_that_may_not_be_executed_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routines, "_mprotect", lambda *_: -1)
    with pytest.raises(OSError, match="memory for the engine's own code"):
        mapped(b"\xc3")
