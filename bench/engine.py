"""`python -m bench.engine PORT GUEST [--reuse N] [--workers N]`: the engine as a server, under chosen settings."""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path

from wherry.engine.config import SMALL_MEMORY
from wherry.engine.host import Host
from wherry.engine.run import run
from wherry.plan.model import HTTP_TIMEOUT, Limits, RunPlan, WasmFile
from wherry.wasm.memory import largest_memory


def wasm_file(path: Path) -> WasmFile:
    return WasmFile(str(path), f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}")


def keep_resident(guest: Path) -> int:
    """Bytes that a peer's pool keeps of each memory between requests: all of a small one, else its beginning.

    What serves such guests best: a C program has a stack before anything that it writes, and copying that costs more.
    """
    return SMALL_MEMORY if largest_memory(guest.read_bytes()) <= SMALL_MEMORY else 64 << 10


def main() -> int:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("port", type=int)
    arguments.add_argument("guest", type=Path)
    arguments.add_argument("--reuse", type=int, default=1)
    arguments.add_argument("--workers", type=int, default=1)
    given = arguments.parse_args()
    plan = RunPlan("http", wasm_file(given.guest), port=given.port, limits=Limits(timeout=HTTP_TIMEOUT))
    return run(plan, Host(workers=given.workers, reuse=given.reuse)).code


if __name__ == "__main__":
    sys.exit(main())
