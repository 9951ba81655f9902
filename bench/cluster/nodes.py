"""What nodes have used, asked on the nodes themselves with the programs that every one of them has."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tests.e2e.cluster import Cluster, names

DAEMONS = frozenset({"containerd", "kubelet", "kube-proxy", "systemd", "systemd-journal", "dbus-daemon"})
"""What every node runs, by the names of processes; all others are there because of Pods, the zygote among them."""
_USED = "cat /sys/fs/cgroup/cpuacct/cpuacct.usage 2>/dev/null || cat /sys/fs/cgroup/cpu.stat"
_SIZES = "grep -s ^Pss: /proc/[0-9]*/smaps_rollup; grep -s . /proc/[0-9]*/comm; true"
_SIZE = re.compile(r"^/proc/(\d+)/smaps_rollup:Pss:\s+(\d+) kB$", re.MULTILINE)
_NAME = re.compile(r"^/proc/(\d+)/comm:(.*)$", re.MULTILINE)


def cpu_seconds(cluster: Cluster) -> float:
    """What all nodes have computed so far, control plane and all."""
    return sum(computed(cluster.on_node(node, "sh", "-c", _USED)) for node in names(cluster.get("nodes")))


def computed(said: str) -> float:
    """Seconds, of a cgroup's own file: nanoseconds on v1, `usage_usec` among others on v2."""
    found = re.search(r"^usage_usec (\d+)$", said, re.MULTILINE)
    return int(found[1]) / 1e6 if found else int(said) / 1e9


def sizes(cluster: Cluster, node: str) -> tuple[float, float]:
    """MiB of Pods' processes and of the node's own daemons."""
    found = processes(cluster, node)
    daemons = sum(size for name, size in found.items() if name in DAEMONS)
    return (sum(found.values()) - daemons) / 1024, daemons / 1024


def processes(cluster: Cluster, node: str) -> Mapping[str, int]:
    """KiB of proportional set size, by name."""
    return by_name(cluster.on_node(node, "sh", "-c", _SIZES))


def by_name(said: str) -> Mapping[str, int]:
    """KiB of proportional set size of all processes of one name. One that has ended meanwhile has no size."""
    found: dict[str, int] = {}
    command = dict(_NAME.findall(said))
    for pid, size in _SIZE.findall(said):
        name = command.get(pid, "")
        found[name] = found.get(name, 0) + int(size)
    return found


def versions(cluster: Cluster) -> Mapping[str, str]:
    """Of a node; they are all alike."""
    info = cluster.get("nodes")["items"][0]["status"]["nodeInfo"]
    containerd = str(info["containerRuntimeVersion"]).removeprefix("containerd://")
    return {"kubernetes": info["kubeletVersion"].removeprefix("v"), "containerd": containerd}


def address(cluster: Cluster, node: str) -> str:
    """By which other machines reach it."""
    listed = cluster.get("node", node)["status"]["addresses"]
    return next(str(each["address"]) for each in listed if each["type"] == "InternalIP")
