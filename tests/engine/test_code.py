"""Machine code is made once, by this machine, and nothing else is ever loaded."""

from __future__ import annotations

import fcntl
import hashlib
import os
import select
import shutil
import signal
import subprocess
import sys
import termios
import threading
from pathlib import Path

import pytest

from tests.support import guests
from tests.support.commands import ours, plan_of, wasm_file
from wherry.engine.code import compiled, load
from wherry.engine.compiler import STANDARD, Compiler
from wherry.engine.config import Build, Pooling, new_engine
from wherry.engine.seal import Sealer, machine_key
from wherry.errors import StartError
from wherry.plan.ending import Ending
from wherry.plan.model import WasmFile

ROOT = Path(__file__).parents[2]

COMPILE = """
import sys
import termios
import threading
from pathlib import Path
from wherry.engine.code import compiled
from wherry.engine.config import Build
from tests.support.commands import wasm_file
print(compiled(wasm_file(Path(sys.argv[1])), Build(), Path(sys.argv[2])).stat().st_ino)
"""


def answer(code: int) -> Path:
    return guests.wat(f"""(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
      (memory (export "memory") 1) (func (export "_start") (call $exit (i32.const {code}))))""")


def damage(path: Path) -> None:
    """Change one byte and leave everything else as it was, the times of the file as well as anyone may set them."""
    before = path.stat()
    path.chmod(0o600)
    with path.open("r+b") as file:
        file.seek(before.st_size // 2)
        byte = file.read(1)[0]
        file.seek(before.st_size // 2)
        file.write(bytes([byte ^ 1]))
    path.chmod(0o400)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_code_is_compiled_once(tmp_path: Path) -> None:
    wasm = wasm_file(answer(1))
    first = compiled(wasm, Build(), tmp_path)
    inode = first.stat().st_ino
    assert compiled(wasm, Build(), tmp_path) == first
    assert first.stat().st_ino == inode


def test_eight_processes_that_want_the_same_code_compile_it_once(tmp_path: Path) -> None:
    command = [sys.executable, "-c", COMPILE, str(answer(1)), str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) for _ in range(8)]
    answers = {process.communicate(timeout=300)[0] for process in started}
    assert [process.returncode for process in started] == [0] * 8
    assert len(answers) == 1
    assert len(list(tmp_path.rglob("*.cwasm"))) == 1
    assert [path for path in tmp_path.rglob(".*") if path.is_file()] == []


def test_the_cache_is_for_its_owner_alone(tmp_path: Path) -> None:
    code = compiled(wasm_file(answer(1)), Build(), tmp_path)
    modes = {path: path.stat().st_mode & 0o777 for path in (code, code.parent, tmp_path / "aot", tmp_path / "aot/key")}
    assert list(modes.values()) == [0o444, 0o700, 0o700, 0o600]


def test_whatever_changes_machine_code_changes_the_key() -> None:
    builds = [
        Build(),
        Build(fuel=True),
        Build(details=False),
        Build(adapter="http"),
        Build(engine="49.0.0"),
        Build(target="x86_64-0"),
    ]
    assert len({build.key for build in builds}) == len(builds)
    assert Build().key == Build().key


def test_damaged_code_is_compiled_again(tmp_path: Path) -> None:
    wasm = answer(7)
    code = compiled(wasm_file(wasm), Build(adapter="none"), tmp_path)
    whole = code.read_bytes()
    damage(code)
    assert code.read_bytes() != whole
    assert ours(plan_of(wasm), cache=tmp_path).ending == Ending(7)
    assert code.read_bytes() == whole


@pytest.mark.parametrize("content", [b"", b"\x7fELF", b"{}"])
def test_a_cut_entry_or_a_seal_without_sense_is_compiled_again(content: bytes, tmp_path: Path) -> None:
    wasm = answer(7)
    code = compiled(wasm_file(wasm), Build(), tmp_path)
    for path in (code, code.with_suffix(".seal")):
        path.chmod(0o600)
        path.write_bytes(content)
        assert ours(plan_of(wasm), cache=tmp_path).ending == Ending(7)


def test_code_of_other_bytes_is_not_run_in_their_place(tmp_path: Path) -> None:
    """Both files of another entry are put where this one's would be."""
    mine, other = answer(7), answer(8)
    code, foreign = (compiled(wasm_file(wasm), Build(), tmp_path) for wasm in (mine, other))
    for suffix in (".cwasm", ".seal"):
        os.replace(foreign.with_suffix(suffix), code.with_suffix(suffix))
    assert ours(plan_of(mine), cache=tmp_path).ending == Ending(7)


def test_code_that_another_machine_sealed_is_compiled_again(tmp_path: Path) -> None:
    wasm = wasm_file(answer(7))
    code = compiled(wasm, Build(), tmp_path)
    sealer = Sealer(b"k" * 32)
    context = f"{wasm.digest} {Build().key}"
    assert Sealer(machine_key(tmp_path / "aot" / "key")).trusts(code, context)
    sealer.seal(code, context)
    assert sealer.trusts(code, context)
    inode = code.stat().st_ino
    assert compiled(wasm, Build(), tmp_path).stat().st_ino != inode


def test_a_copied_cache_is_hashed_once_and_then_trusted(tmp_path: Path) -> None:
    wasm = wasm_file(answer(7))
    compiled(wasm, Build(), tmp_path / "old")
    shutil.copytree(tmp_path / "old", tmp_path / "new")
    copy = next((tmp_path / "new").rglob("*.cwasm"))
    inode, seal = copy.stat().st_ino, copy.with_suffix(".seal").read_bytes()
    assert compiled(wasm, Build(), tmp_path / "new").stat().st_ino == inode
    assert copy.with_suffix(".seal").read_bytes() != seal


def test_a_copied_cache_with_damaged_code_is_compiled_again(tmp_path: Path) -> None:
    wasm = wasm_file(answer(7))
    whole = compiled(wasm, Build(), tmp_path / "old").read_bytes()
    shutil.copytree(tmp_path / "old", tmp_path / "new")
    copy = next((tmp_path / "new").rglob("*.cwasm"))
    damage(copy)
    assert compiled(wasm, Build(), tmp_path / "new").read_bytes() == whole


@pytest.mark.parametrize(("content", "mode"), [(b"k" * 32, 0o644), (b"short", 0o600), (b"", 0o600)])
def test_a_key_that_others_may_know_is_replaced(content: bytes, mode: int, tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(content)
    path.chmod(mode)
    assert machine_key(path) not in (content, b"")
    assert path.stat().st_mode & 0o777 == 0o600
    assert machine_key(path) == path.read_bytes()


def test_processes_that_make_the_key_at_once_agree_on_one(tmp_path: Path) -> None:
    script = f"""
import sys
from pathlib import Path
from wherry.engine.seal import machine_key
sys.stdin.read(1)
print(machine_key(Path({str(tmp_path / "key")!r})).hex())
"""
    reader, writer = os.pipe()
    command = [sys.executable, "-c", script]
    started = [subprocess.Popen(command, stdin=reader, stdout=subprocess.PIPE) for _ in range(8)]
    os.close(reader)
    os.write(writer, b"go go go")
    os.close(writer)
    keys = {process.communicate(timeout=120)[0].strip() for process in started}
    assert keys == {(tmp_path / "key").read_bytes().hex().encode()}


def test_bytes_that_are_not_the_plans_are_never_compiled(tmp_path: Path) -> None:
    wasm = WasmFile(str(answer(7)), "sha256:" + hashlib.sha256(b"other bytes").hexdigest())
    with pytest.raises(StartError, match="the bytes have the digest sha256:") as refused:
        compiled(wasm, Build(), tmp_path)
    assert refused.value.reason == "digest-mismatch"
    assert list(tmp_path.rglob("*.cwasm")) == []


def test_a_module_that_does_not_validate_is_refused_by_the_compilers_words(tmp_path: Path) -> None:
    module = tmp_path / "bad.wasm"
    module.write_bytes(b"\0asm\1\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\x0a\x06\x01\x04\0\x6a\x1a\x0b")
    with pytest.raises(StartError, match="type mismatch") as refused:
        compiled(wasm_file(module), Build(), tmp_path)
    assert refused.value.reason == "invalid-module"


@pytest.mark.parametrize(
    ("compiler", "said"),
    [
        (Compiler(memory=64 << 20), "64 MiB"),
        (Compiler(seconds=0), "signal 9"),
    ],
)
def test_a_compiler_that_reaches_its_limits_is_a_start_error(compiler: Compiler, said: str, tmp_path: Path) -> None:
    with pytest.raises(StartError, match=said) as refused:
        compiled(wasm_file(guests.command("hostile")), Build(), tmp_path, compiler=compiler)
    assert refused.value.reason == "compile"
    assert list(tmp_path.rglob("*.cwasm")) == []
    assert list(tmp_path.rglob(".*.cwasm.*")) == []


def test_a_compile_that_takes_long_is_reported(tmp_path: Path) -> None:
    """The guest comes through a pipe, and not before the report: so the compile cannot be over too soon."""
    guest, lines, told = answer(1), list[str](), threading.Event()
    os.mkfifo(tmp_path / "slow.wasm")

    def report(line: str) -> None:
        lines.append(line)
        told.set()

    def deliver() -> None:
        with (tmp_path / "slow.wasm").open("wb") as pipe:
            told.wait(60)
            pipe.write(guest.read_bytes())

    writer = threading.Thread(target=deliver)
    writer.start()
    slow = WasmFile(str(tmp_path / "slow.wasm"), wasm_file(guest).digest)
    compiled(slow, Build(), tmp_path, report, Compiler(patience=0.01))
    writer.join()
    assert len(lines) == 1
    assert "for this machine" in lines[0]


def test_a_cache_in_a_place_that_cannot_be_is_a_start_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(StartError, match="WHERRY_CACHE") as refused:
        compiled(wasm_file(answer(1)), Build(), tmp_path / "file")
    assert refused.value.reason == "compile"


def test_a_compiler_that_was_given_less_makes_do_with_it(tmp_path: Path) -> None:
    limits = "import resource\nresource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))\n"
    command = [sys.executable, "-c", limits + COMPILE, str(answer(1)), str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_compiler_dies_with_its_parent(tmp_path: Path) -> None:
    """The compiler waits for its input, which nobody writes; then its parent is killed."""
    reader, writer = os.pipe()
    child = f"""
import subprocess, sys
from wherry.engine.config import Build
from wherry.engine.compiler import STANDARD
from wherry.plan.model import WasmFile
process = subprocess.Popen(STANDARD.command(WasmFile("-", "sha256:0"), Build()), stdin={reader})
print(flush=True)
process.wait()
"""
    with subprocess.Popen([sys.executable, "-c", child], stdout=subprocess.PIPE, pass_fds=[reader]) as parent:
        assert parent.stdout
        assert parent.stdout.readline()
        wait_until_confined(reader, writer)
        parent.send_signal(signal.SIGKILL)
    # The write end of a pipe fails once its last reader, the compiler, is gone.
    os.close(reader)
    try:
        poll_until_closed(writer)
    finally:
        os.close(writer)


def wait_until_confined(reader: int, writer: int) -> None:
    """The compiler reads its input only after it has given up what it had: wait until it took a byte."""
    os.write(writer, b"\0")
    while any(fcntl.ioctl(reader, termios.FIONREAD, b"\0" * 4)):
        os.sched_yield()


def poll_until_closed(writer: int) -> None:
    poll = select.poll()
    poll.register(writer, 0)
    assert poll.poll(60_000), "the compiler outlived its parent"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has a user to give up: run the tests as root")
def test_the_compiler_of_root_is_nobody(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    command = STANDARD.command(WasmFile("-", "sha256:0"), Build())
    with subprocess.Popen(command, stdin=reader, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as compiler:
        wait_until_confined(reader, writer)
        status = Path(f"/proc/{compiler.pid}/status").read_text()
        os.close(writer)
    os.close(reader)
    assert "Uid:\t65534\t65534\t65534\t65534" in status
    assert "Gid:\t65534\t65534\t65534\t65534" in status
    assert "NoNewPrivs:\t1" in status


@pytest.mark.parametrize("pooling", [None, Pooling(instances=16, memory=128 << 20)])
def test_the_same_code_runs_with_and_without_a_pool(pooling: Pooling | None, tmp_path: Path) -> None:
    code = compiled(wasm_file(answer(1)), Build(), tmp_path)
    with new_engine(Build(), pooling) as engine, load(engine, code, "module") as loaded:
        assert loaded.pointer


def test_code_of_another_build_is_not_loaded(tmp_path: Path) -> None:
    code = compiled(wasm_file(answer(1)), Build(fuel=True), tmp_path)
    with new_engine(Build()) as engine, pytest.raises(StartError, match="fuel"):
        load(engine, code, "module")
