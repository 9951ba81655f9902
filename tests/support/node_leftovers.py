"""What a containerd and its pods have made on the machine, found by looking at the machine and not by asking them."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support import cni

CGROUPS = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class Traces:
    """Where one containerd's things can be found. cgroup: the name of its own parent, in every hierarchy. network: the
    number of its pod network. `allowed` are pids that are no leftovers.
    """

    folder: Path
    cgroup: str
    network: int

    def found(self, allowed: frozenset[int] = frozenset()) -> list[str]:
        """One line for each thing that is there, sorted: `process 12 …`, `mount …`, `cgroup …`, `link …`."""
        kinds = (self.processes(allowed), self.mounts(), self.cgroups(), self.links(), self.files(), self.rules())
        return sorted(line for lines in kinds for line in lines)

    def processes(self, allowed: frozenset[int] = frozenset()) -> Iterator[str]:
        for pid in self.pids() - allowed:
            command = _read(Path(f"/proc/{pid}/cmdline")).replace("\0", " ").strip()
            yield f"process {pid} {command or process_name(pid)}"

    def pids(self) -> set[int]:
        """Every process that lies in its cgroups or names its folder."""
        everyone = (int(name) for name in os.listdir("/proc") if name.isdigit())
        return {pid for pid in everyone if pid != os.getpid() and self._is_ours(pid)}

    def _is_ours(self, pid: int) -> bool:
        in_cgroup = f":/{self.cgroup}/" in _read(Path(f"/proc/{pid}/cgroup"))
        return in_cgroup or f"{self.folder}/" in _read(Path(f"/proc/{pid}/cmdline"))

    def mounts(self) -> Iterator[str]:
        for path in self.mount_points():
            yield f"mount {path}"

    def mount_points(self) -> list[str]:
        """Below the folder, the innermost first; the folder itself is the rig's own."""
        lines = _read(Path("/proc/self/mountinfo")).splitlines()
        return [path for line in reversed(lines) if (path := line.split()[4]).startswith(f"{self.folder}/")]

    def cgroups(self) -> Iterator[str]:
        for path in self.cgroup_folders():
            if path.parent.name != self.cgroup and path.name != self.cgroup:
                yield f"cgroup {path.relative_to(CGROUPS)}"

    def cgroup_folders(self) -> list[Path]:
        """In every hierarchy, the innermost first; the two that the rig itself makes among them."""
        parents = (CGROUPS / hierarchy / self.cgroup for hierarchy in hierarchies())
        return [Path(each) for parent in parents for each, _, _ in os.walk(parent, topdown=False)]

    def links(self) -> Iterator[str]:
        for name in self.link_names():
            yield f"link {name}"

    def link_names(self) -> list[str]:
        """Network links of this machine with an address of the network."""
        said = subprocess.run(["ip", "-json", "address"], capture_output=True, text=True, check=True).stdout
        ours = cni.subnet(self.network).removesuffix(".0.0/16") + "."
        return [
            link["ifname"]
            for link in json.loads(said)
            if any(each.get("local", "").startswith(ours) for each in link.get("addr_info", ()))
        ]

    def files(self) -> Iterator[str]:
        """What describes a pod or a container: bundles, states, namespaces, addresses."""
        folders = (
            "state/io.containerd.runtime.v2.task/*/*",
            "root/io.containerd.runtime.v2.task/*/*",
            "*/io.containerd.grpc.v1.cri/sandboxes/*",
            "*/io.containerd.grpc.v1.cri/containers/*",
            "state/io.containerd.grpc.v1.cri/netns/*",
            "state/io.containerd.cri.v1.runtime/netns/*",
            "*/io.containerd.sandbox.controller.v1.shim/*",
            "runc/*/*",
            "wherry/hosts/*-*",
            "wherry/????????-????-*/*",
            f"cni/ipam/{cni.name(self.network)}/100.*",
        )
        for pattern in folders:
            for path in self.folder.glob(pattern):
                yield f"file {path.relative_to(self.folder)}"

    def rules(self) -> Iterator[str]:
        for line in cni.rules(self.network):
            yield f"rule {line}"


def process_name(pid: int) -> str:
    """What it calls itself; "" for one that is gone."""
    return _read(Path(f"/proc/{pid}/comm")).strip()


def hierarchies() -> list[str]:
    """Folders of cgroup hierarchies below /sys/fs/cgroup: one for each controller on v1, `.` on v2."""
    mounts = (line.split() for line in _read(Path("/proc/self/mounts")).splitlines())
    paths = [Path(fields[1]) for fields in mounts if fields[2] in {"cgroup", "cgroup2"}]
    return [str(path.relative_to(CGROUPS)) for path in paths if path.is_relative_to(CGROUPS)]


def _read(path: Path) -> str:
    """Empty where the process or file has gone meanwhile."""
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
