"""Pods and containers as tests write them, and the CRI messages that a kubelet would make of them. Pure."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

POD, CONTAINER, NODE = 0, 1, 2
"""Whose namespace: CRI's NamespaceMode."""


def _unique() -> str:
    return str(uuid.uuid4())


@dataclass(frozen=True)
class PodSpec:
    """ports: (host port, container port) pairs of TCP. resources: LinuxContainerResources of the whole pod."""

    name: str = "pod"
    namespace: str = "default"
    uid: str = field(default_factory=_unique)
    annotations: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    host_network: bool = False
    share_processes: bool = False
    privileged: bool = False
    ports: tuple[tuple[int, int], ...] = ()
    sysctls: Mapping[str, str] = field(default_factory=dict)
    resources: Mapping[str, Any] = field(default_factory=dict)
    user_namespace: tuple[int, int] | None = None
    """(first host id, length): the pod's ids from 0 upwards, in a user namespace of its own."""

    def namespaces(self) -> dict[str, Any]:
        """A NamespaceOption; the same for the pod and its containers."""
        option: dict[str, Any] = {"network": NODE if self.host_network else POD, "ipc": POD}
        option["pid"] = POD if self.share_processes else CONTAINER
        if self.user_namespace:
            ids = [{"host_id": self.user_namespace[0], "container_id": 0, "length": self.user_namespace[1]}]
            option["userns_options"] = {"mode": POD, "uids": ids, "gids": ids}
        return option

    def config(self, logs: Path, cgroup_parent: str) -> dict[str, Any]:
        """A PodSandboxConfig. logs: the pod's folder for the logs of its containers."""
        return {
            "metadata": {"name": self.name, "uid": self.uid, "namespace": self.namespace},
            "hostname": "" if self.host_network else self.name,
            "log_directory": str(logs),
            "port_mappings": [{"host_port": host, "container_port": inside} for host, inside in self.ports],
            "labels": {**self.labels, **_kubernetes(self)},
            "annotations": self.annotations,
            "linux": {
                "cgroup_parent": cgroup_parent,
                "security_context": {
                    "namespace_options": self.namespaces(),
                    "privileged": self.privileged,
                    "seccomp": {"profile_type": 0},
                },
                "sysctls": self.sysctls,
                "resources": self.resources,
            },
        }


def _kubernetes(pod: PodSpec) -> dict[str, str]:
    """The labels that every kubelet sets."""
    values = {"pod.name": pod.name, "pod.namespace": pod.namespace, "pod.uid": pod.uid}
    return {f"io.kubernetes.{name}": value for name, value in values.items()}


@dataclass(frozen=True)
class Mounted:
    """A host path in a container."""

    host: Path
    inside: str
    readonly: bool = False
    propagation: int = 0

    def message(self) -> dict[str, Any]:
        return {
            "host_path": str(self.host),
            "container_path": self.inside,
            "readonly": self.readonly,
            "propagation": self.propagation,
        }


@dataclass(frozen=True)
class ContainerSpec:
    """memory: bytes, 0 for no limit. cpu: a number of cores, 0 for no limit. unified: files of a cgroup of version 2.

    privileged and the rest as in a Pod.
    """

    image: str
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    name: str = "app"
    env: Mapping[str, str] = field(default_factory=dict)
    mounts: tuple[Mounted, ...] = ()
    annotations: Mapping[str, str] = field(default_factory=dict)
    memory: int = 0
    cpu: float = 0
    unified: Mapping[str, str] = field(default_factory=dict)
    uid: int | None = None
    gid: int | None = None
    groups: tuple[int, ...] = ()
    add_capabilities: tuple[str, ...] = ()
    drop_capabilities: tuple[str, ...] = ()
    privileged: bool = False
    read_only: bool = False
    stdin: bool = False
    tty: bool = False
    attempt: int = 0

    def config(self, pod: PodSpec) -> dict[str, Any]:
        """A ContainerConfig."""
        return {
            "metadata": {"name": self.name, "attempt": self.attempt},
            "image": {"image": self.image, "user_specified_image": self.image},
            "command": self.command,
            "args": self.args,
            "envs": [{"key": name, "value": value} for name, value in self.env.items()],
            "mounts": [each.message() for each in self.mounts],
            "labels": {"io.kubernetes.container.name": self.name, **_kubernetes(pod)},
            "annotations": self.annotations,
            "log_path": self.log_name(),
            "stdin": self.stdin,
            "stdin_once": self.stdin,
            "tty": self.tty,
            "linux": {"resources": self.resources(), "security_context": self.security(pod)},
        }

    def log_name(self) -> str:
        """Below the pod's folder, as a kubelet has it."""
        return f"{self.name}_{self.attempt}.log"

    def resources(self) -> dict[str, Any]:
        """LinuxContainerResources."""
        quota = {"cpu_period": 100_000, "cpu_quota": round(self.cpu * 100_000)} if self.cpu else {}
        return {"memory_limit_in_bytes": self.memory, "unified": self.unified, **quota}

    def security(self, pod: PodSpec) -> dict[str, Any]:
        """A LinuxContainerSecurityContext."""
        ids = {"run_as_user": self.uid, "run_as_group": self.gid}
        return {
            **{name: {"value": number} for name, number in ids.items() if number is not None},
            "capabilities": {"add_capabilities": self.add_capabilities, "drop_capabilities": self.drop_capabilities},
            "privileged": self.privileged,
            "namespace_options": pod.namespaces(),
            "readonly_rootfs": self.read_only,
            "supplemental_groups": self.groups,
            "no_new_privs": not self.privileged,
            "seccomp": {"profile_type": 1 if self.privileged else 0},
        }
