"""Against the same C code compiled natively: examples/06-image, resize and blur of a large picture."""

from __future__ import annotations

import os
import resource
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.engine import wasm_file
from bench.guests import EXAMPLES, image
from bench.measure import Round, Row, compared, interleaved
from examples.toolchain.cache import key, once, root
from examples.toolchain.programs import zig, zig_version
from examples.toolchain.run import run as build
from examples.toolchain.run import tell
from wherry.engine.host import Host
from wherry.engine.run import run
from wherry.plan.model import ARGV0, Limits, RunPlan

TITLE = "image work in Wasm against the same C code natively"
PEER = "native program, whole process"
WORK = (("resize", "800x500"), ("resize", "3200x2000"), ("blur", "4"), ("blur", "16"))
SIZE = (1600, 1000)
SOURCE = EXAMPLES / "06-image"


def measure(quick: bool) -> list[Row]:
    rounds = 5 if quick else 15
    program, source = native(), picture()
    return [row for work in WORK for row in rows_of(program, source, *work, rounds)]


def rows_of(program: Path, source: Path, operation: str, amount: str, rounds: int) -> list[Row]:
    """Speed, so that more is better: pictures a second and a CPU-second, each from its file to a file in memory."""
    argv = (ARGV0, operation, amount)
    plan = RunPlan("command", wasm_file(image()), argv=argv, limits=Limits(memory=1 << 30))

    def ours(stdin: int, stdout: int) -> None:
        ending = run(plan, Host(stdio=(stdin, stdout, 2), cache=root() / "bench"))
        assert ending.code == 0, ending

    def theirs(stdin: int, stdout: int) -> None:
        subprocess.run([program, operation, amount], stdin=stdin, stdout=stdout, check=True)

    same_picture(source, ours, theirs)
    mine, others = interleaved([timed(source, side) for side in (ours, theirs)], rounds)
    name = f"{operation} {amount} of {SIZE[0]}x{SIZE[1]}"
    return [
        compared(
            f"{name}: {key}", f"pictures/{unit}", PEER, [each[key] for each in mine], [each[key] for each in others]
        )
        for key, unit in (("CPU", "CPU-s"), ("wall", "s"))
    ]


Filter = Callable[[int, int], None]


def timed(source: Path, work: Filter) -> Callable[[], Round]:
    def once_through() -> Round:
        with files(source) as (stdin, stdout):
            wall, cpu = time.perf_counter(), computed()
            work(stdin, stdout)
            return {"wall": 1 / (time.perf_counter() - wall), "CPU": 1 / (computed() - cpu)}

    return once_through


def computed() -> float:
    """CPU-seconds of this process and of the children that it has waited for."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(used.ru_utime + used.ru_stime for used in both)


def same_picture(source: Path, *sides: Filter) -> None:
    """Both sides must have done the same work."""
    results = []
    for side in sides:
        with files(source) as (stdin, stdout):
            side(stdin, stdout)
            results.append(os.pread(stdout, 1 << 28, 0))
    assert results[0] == results[1]
    assert results[0].startswith(b"\x89PNG")


@contextmanager
def files(source: Path) -> Iterator[tuple[int, int]]:
    with source.open("rb") as stdin, tempfile.TemporaryFile(dir="/dev/shm") as stdout:
        yield stdin.fileno(), stdout.fileno()


def native() -> Path:
    """The same source by the same compiler for any x86-64: what a distribution would ship."""
    target = root() / "bench" / f"image-native-{key([*sorted(SOURCE.glob('*.[ch]')), zig_version()])}"
    flags = ["-target", f"{os.uname().machine}-linux-gnu", f"-mcpu={os.uname().machine}", "-O2", "-s"]
    return once(target, lambda out: _nothing(build([*zig(), "cc", *flags, SOURCE / "image.c", "-o", out, "-lm"])))


def picture() -> Path:
    """A large one, painted by the example's own painter."""
    target = root() / "bench" / f"harbour-{SIZE[0]}x{SIZE[1]}.png"
    tell(f"painting {target.name}, if it is not there")
    return once(target, lambda out: _nothing(build(["python3", SOURCE / "picture.py", *map(str, SIZE), out])))


def _nothing(_said: str) -> None:
    """What a builder says when it works is of no interest."""
