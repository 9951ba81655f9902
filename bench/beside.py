"""`python -m bench.beside PID COMMAND…`: becomes a program in the cgroups and on the network of another process.

So a program without a pod gets the same share of the processors, pays as a pod does for memory, and has the same link.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tests.support.node_leftovers import CGROUPS
from wherry_shim.linux.namespaces import CLONE_NEWNET, setns


def main() -> None:
    pid, *command = sys.argv[1:]
    for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines():
        _, name, path = line.split(":", 2)
        hierarchy = CGROUPS / (name.removeprefix("name=") or "unified")
        for folder in (hierarchy, CGROUPS):
            if (procs := folder / path.lstrip("/") / "cgroup.procs").exists():
                procs.write_text(str(os.getpid()))
                break
    setns(os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC), CLONE_NEWNET)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
