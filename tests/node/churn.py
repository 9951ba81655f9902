"""Many pods, few at a time, beside one that stays; then everything that is counted must be as it was before.

python -m tests.node.churn COUNT [--handler wherry] [--containerd 2.3] [--parallel 4]
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.support import images, programs
from tests.support.containerd import Containerd, containerd
from tests.support.pods import until
from tests.support.registry import registry
from tests.support.workloads import Side, side

GROWTH = 2048
"""KiB that a process which stays may gain, however many pods went by: caches of an allocator, not pods."""
WARM_UP = 20
"""Pods before the first count, so that what is made once is there."""


@dataclass(frozen=True)
class Census:
    """traces: what the node has on the machine, as in node_leftovers. descriptors and KiB of anonymous pages
    by process. files: below the folders of containerd, the zygote and the hosts.
    """

    traces: frozenset[str]
    descriptors: Mapping[str, int]
    memory: Mapping[str, int]
    files: int


def churn(node: Containerd, side: Side, count: int, parallel: int = 4) -> tuple[Census, Census]:
    """Create and remove so many pods; the counts before and after, with one pod of the side there both times."""
    resident = node.run(side.hold.pod("resident"), side.handler)
    resident.start(side.hold.container()).says(side.hold.line)
    _pods(node, side, WARM_UP, parallel)
    before = _settled(node)
    _pods(node, side, count, parallel)
    after = _settled(node, before)
    resident.remove()
    return before, after


def _pods(node: Containerd, side: Side, count: int, parallel: int) -> None:
    def one(number: int) -> None:
        pod = node.run(side.hold.pod(f"churn-{number}"), side.handler)
        pod.start(side.hold.container()).says(side.hold.line)
        pod.remove()

    with ThreadPoolExecutor(parallel) as threads:
        for _ in threads.map(one, range(count)):
            pass


def _settled(node: Containerd, before: Census | None = None) -> Census:
    """Counted when nothing changes any more: shims end a little after containerd has answered."""
    with suppress(TimeoutError):
        until(lambda: not before or not differences(before, census(node)), 30.0, pause=0.5)
    last = census(node)
    for _ in range(30):
        time.sleep(1.0)
        found = census(node)
        if (found.traces, found.files) == (last.traces, last.files):
            break
        last = found
    return found


def census(node: Containerd) -> Census:
    stay = {f"{pid} {_name(pid)}": pid for pid in node.traces.pids()}
    descriptors = {name: len(_listed(Path(f"/proc/{pid}/fd"))) for name, pid in stay.items()}
    memory = {name: _anonymous(pid) for name, pid in stay.items() if pid != node.pid}
    folders = (node.settings.state, node.zygote.state, node.settings.root / "io.containerd.grpc.v1.cri")
    files = sum(len(names) + len(inside) for folder in folders for _, inside, names in os.walk(folder))
    return Census(frozenset(node.leftovers()), descriptors, memory, files)


def differences(before: Census, after: Census) -> list[str]:
    """One line for each thing that is more than it was. containerd's own heap is not looked at."""
    found = [f"left: {line}" for line in sorted(after.traces - before.traces)]
    for name, count in before.descriptors.items():
        now = after.descriptors.get(name, 0)
        if now > count:
            found.append(f"descriptors of {name}: {now}, were {count}")
    for name, kibibytes in before.memory.items():
        now = after.memory.get(name, 0)
        if now > kibibytes + GROWTH:
            found.append(f"memory of {name}: {now} KiB, was {kibibytes}")
    if after.files > before.files:
        found.append(f"files: {after.files}, were {before.files}")
    return found


def _name(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text().strip()
    return "ended"


def _listed(folder: Path) -> list[str]:
    with suppress(OSError):
        return os.listdir(folder)
    return []


def _anonymous(pid: int) -> int:
    """KiB of a process's own pages, without files."""
    with suppress(OSError):
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("Anonymous:"))
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="churn", description=__doc__)
    parser.add_argument("count", type=int)
    parser.add_argument("--handler", default="wherry")
    parser.add_argument("--containerd", default="2.3", choices=programs.VERSIONS)
    parser.add_argument("--parallel", type=int, default=4)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, registry(Path(folder)) as server:
        images.fill(server.host, Path(folder) / "cache")
        with containerd(given.containerd, {images.HOST: server.host}, images.PAUSE) as node:
            if given.handler.startswith("wherry"):
                node.start_zygote()
            chosen = side(given.handler)
            node.cri.pull(images.reference("pause"))
            node.cri.pull(images.reference(chosen.hold.image))
            before, after = churn(node, chosen, given.count, given.parallel)
    for name, kibibytes in before.memory.items():
        print(f"{name}: {kibibytes} KiB before, {after.memory.get(name, 0)} after")
    found = differences(before, after)
    print(*(found or [f"{given.count} pods, and nothing is left"]), sep="\n")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
