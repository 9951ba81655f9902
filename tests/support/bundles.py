"""config.json as containerd's CRI writes it for a container that the kubelet asked for.

After containerd 2.3 (pkg/oci/mounts.go, internal/cri/opts and internal/cri/server/container_create.go) and the kubelet
of Kubernetes 1.36 (kubelet_pods.go, kuberuntime/labels.go).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

POD = "6f4a2a2c-3d2e-4a7e-9e55-6a1b6f0c9d10"
KUBELET = f"/var/lib/kubelet/pods/{POD}"
SANDBOX = "c0ffee" * 10 + "cafe"
CRI = "io.containerd.grpc.v1.cri"
LOG = f"{KUBELET}/containers/app/1a2b3c4d"
TOKEN = f"{KUBELET}/volumes/kubernetes.io~projected/kube-api-access-x7k2p"
TOKEN_AT = "/var/run/secrets/kubernetes.io/serviceaccount"
SERVICE_LINKS = {
    "KUBERNETES_SERVICE_HOST": "10.96.0.1",
    "KUBERNETES_SERVICE_PORT": "443",
    "KUBERNETES_PORT_443_TCP": "tcp://10.96.0.1:443",
}


@dataclass(frozen=True)
class Container:
    """What a Pod says of one container. mounts: (source on the node, destination, readonly)."""

    args: Sequence[str] = ("/app.wasm",)
    env: Mapping[str, str] = field(default_factory=dict)
    mounts: Sequence[tuple[str, str, bool]] = ()
    ports: Sequence[Mapping[str, Any]] = ()
    pod_annotations: Mapping[str, str] = field(default_factory=dict)
    image: str = "registry.example/hello:v1"
    token: bool = False
    termination_path: str = "/dev/termination-log"
    name: str = "app"


def config(container: Container) -> dict[str, Any]:
    """The document, with what the node puts into every container beside what the Pod asks for."""
    return {
        "ociVersion": "1.3.0",
        "process": {
            "user": {"uid": 65532, "gid": 65532, "additionalGids": [65532]},
            "args": [*container.args],
            "env": _env(container),
            "cwd": "/",
            "capabilities": {},
            "noNewPrivileges": True,
            "oomScoreAdj": 999,
        },
        "root": {"path": "rootfs", "readonly": True},
        "mounts": [*_DEFAULTS, *map(_bind, _mounts(container))],
        "annotations": _annotations(container),
        "linux": {"resources": {"cpu": {"shares": 10}}, "cgroupsPath": "kubelet-pod.slice:cri-containerd:abc"},
    }


_NO = ["nosuid", "noexec", "nodev"]
_DEFAULTS = [
    {"destination": "/proc", "type": "proc", "source": "proc", "options": _NO},
    {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "strictatime", "mode=755"]},
    {"destination": "/dev/pts", "type": "devpts", "source": "devpts", "options": ["nosuid", "noexec", "newinstance"]},
    {"destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue", "options": _NO},
    {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": [*_NO, "ro"]},
    {"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": [*_NO, "relatime", "ro"]},
]


def _env(container: Container) -> list[str]:
    default = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOSTNAME": "hello-5d9c"}
    return [f"{name}={value}" for name, value in (default | SERVICE_LINKS | dict(container.env)).items()]


def _mounts(container: Container) -> list[tuple[str, str, bool]]:
    state = f"/var/lib/containerd/{CRI}/sandboxes/{SANDBOX}"
    given = [
        *container.mounts,
        *([(TOKEN, TOKEN_AT, True)] if container.token else []),
        (f"{KUBELET}/etc-hosts", "/etc/hosts", False),
        (LOG, container.termination_path, False),
        (f"{state}/hostname", "/etc/hostname", True),
        (f"{state}/resolv.conf", "/etc/resolv.conf", True),
        (f"/run/containerd/{CRI}/sandboxes/{SANDBOX}/shm", "/dev/shm", False),
    ]
    return sorted(given, key=lambda mount: mount[1].count("/"))


def _bind(mount: tuple[str, str, bool]) -> dict[str, Any]:
    source, destination, readonly = mount
    options = ["rbind", "rprivate", "ro" if readonly else "rw"]
    return {"destination": destination, "type": "bind", "source": source, "options": options}


def _annotations(container: Container) -> dict[str, str]:
    kubelet = {
        "io.kubernetes.container.hash": "7b3f1c2a",
        "io.kubernetes.container.restartCount": "0",
        "io.kubernetes.container.terminationMessagePath": container.termination_path,
        "io.kubernetes.container.terminationMessagePolicy": "File",
    }
    if container.ports:
        kubelet["io.kubernetes.container.ports"] = json.dumps([*container.ports])
    containerd = {
        "io.kubernetes.cri.container-name": container.name,
        "io.kubernetes.cri.container-type": "container",
        "io.kubernetes.cri.image-name": container.image,
        "io.kubernetes.cri.sandbox-id": SANDBOX,
        "io.kubernetes.cri.sandbox-name": "hello-5d9c",
        "io.kubernetes.cri.sandbox-namespace": "default",
        "io.kubernetes.cri.sandbox-uid": POD,
    }
    return {**container.pod_annotations, **kubelet, **containerd}
