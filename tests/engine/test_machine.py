"""An engine that was made ahead runs guests in processes that are forked later."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support import guests

PROGRAM = """
import os, sys
from pathlib import Path
from wherry.engine.host import Host
from wherry.engine.machine import machine_for, make_ahead
from wherry.engine.config import Build
from wherry.engine.run import run
from wherry.oci.digest import digest_of
from wherry.plan.model import Limits, RunPlan, WasmFile
wasm, cache = sys.argv[1:]
plan = RunPlan("command", WasmFile(wasm, digest_of(Path(wasm).read_bytes())), argv=("/app.wasm", "7"))
make_ahead()
assert len(os.listdir("/proc/self/task")) == 1
assert machine_for(Build()) is machine_for(Build())
assert machine_for(Build(fuel=True)) is not machine_for(Build())
for _ in range(3):
    child = os.fork()
    if not child:
        os._exit(run(plan, Host(cache=Path(cache))).code)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_every_fork_has_the_engine_for_itself(tmp_path: Path) -> None:
    arguments = [sys.executable, "-c", PROGRAM, str(guests.command("exit")), str(tmp_path)]
    done = subprocess.run(arguments, check=False, capture_output=True, text=True, timeout=120)
    assert (done.stdout, done.stderr) == ("7\n" * 3, "leaving\n" * 3)
