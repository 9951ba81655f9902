"""What a call of containerd costs before any pod is touched: the launcher, and the zygote's fork."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.measure import Row, alone
from tests.support import launchers
from tests.support.launchers import Caller, bundle
from wherry_shim.launcher import PROGRAM

TITLE = "a call of the launcher"
_FORKS = """
import gc, os, sys, time
from wherry_shim import zygote
from wherry_shim.linux.clone import clone
gc.collect(); gc.freeze()
for _ in range(int(sys.argv[1])):
    begun = time.perf_counter()
    pid = clone()
    if not pid:
        os._exit(0)
    print((time.perf_counter() - begun) * 1000)
    os.waitpid(pid, 0)
"""


def measure(quick: bool) -> list[Row]:
    count = 50 if quick else 500
    folder = Path(tempfile.mkdtemp(prefix="wherry-bench-"))
    try:
        with launchers.lone_zygote(folder) as zygote:
            zygote.start()
            pod, container = bundle(folder / "state", "pod"), bundle(folder / "state", "container", "pod")
            caller = Caller("dash", zygote.state)
            caller.start(pod)
            return [
                alone("fork of the zygote, as it sees it", "ms", forks(count)),
                alone("a shell that does nothing", "ms", timed(count, lambda: run(["dash", "-c", ":"]))),
                alone("-info", "ms", timed(count, lambda: run(["dash", str(PROGRAM), "-info"]))),
                alone("start of a pod's container", "ms", timed(count, lambda: caller.start(container))),
                alone("delete", "ms", timed(count, lambda: caller.delete(container))),
                alone("delete without a zygote", "ms", timed(count, lambda: Caller("dash", folder).delete(container))),
            ]
    finally:
        shutil.rmtree(folder)


def forks(count: int) -> list[float]:
    said = subprocess.run([sys.executable, "-c", _FORKS, str(count)], capture_output=True, text=True, check=True).stdout
    return [float(line) for line in said.split()]


def timed(count: int, call: Callable[[], object]) -> list[float]:
    """Milliseconds of each call."""
    taken = []
    for _ in range(count):
        begun = time.perf_counter()
        call()
        taken.append((time.perf_counter() - begun) * 1000)
    return taken


def run(command: list[str]) -> None:
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
