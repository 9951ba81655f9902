"""Where Kubernetes distributions keep containerd: which file is ours to edit, which program, service and socket.

Some generate containerd's file from a template each time they start; there the template is edited.
"""

from __future__ import annotations

from dataclasses import dataclass

from wherry_shim.node.host import Host

_BINARIES = ("/usr/local/bin", "/usr/bin", "/usr/local/sbin", "/usr/sbin", "/opt/bin")
_RANCHER = "/var/lib/rancher"


@dataclass(frozen=True)
class Distribution:
    """config: the file that containerd reads. templates: what config is generated from, the newest first, by version.

    base: the template that stands for the distribution's own, where there is none yet. folder: tells that this
    distribution is on the node. units: services that run containerd, of which one is active.
    """

    name: str
    folder: str
    config: str
    socket: str
    units: tuple[str, ...]
    binaries: tuple[str, ...]
    templates: tuple[tuple[int, str], ...] = ()
    base: str = ""


def _rancher(name: str, socket: str, units: tuple[str, ...]) -> Distribution:
    folder = f"{_RANCHER}/{name}"
    etc = f"{folder}/agent/etc/containerd"
    return Distribution(
        name=name,
        folder=etc,
        config=f"{etc}/config.toml",
        socket=socket,
        units=units,
        binaries=(f"{folder}/data/current/bin", f"{folder}/bin"),
        templates=((3, f"{etc}/config-v3.toml.tmpl"), (2, f"{etc}/config.toml.tmpl")),
        base='{{ template "base" . }}\n',
    )


PLAIN = Distribution(
    name="containerd",
    folder="/",
    config="/etc/containerd/config.toml",
    socket="/run/containerd/containerd.sock",
    units=("containerd.service",),
    binaries=_BINARIES,
)
"""kubeadm, kind, and whoever else uses containerd as it comes."""

DISTRIBUTIONS = (
    _rancher("rke2", "/run/k3s/containerd/containerd.sock", ("rke2-server.service", "rke2-agent.service")),
    _rancher("k3s", "/run/k3s/containerd/containerd.sock", ("k3s.service", "k3s-agent.service")),
    Distribution(
        name="microk8s",
        folder="/var/snap/microk8s/current/args",
        config="/var/snap/microk8s/current/args/containerd.toml",
        socket="/var/snap/microk8s/common/run/containerd.sock",
        units=("snap.microk8s.daemon-containerd.service",),
        binaries=("/snap/microk8s/current/bin",),
        templates=((2, "/var/snap/microk8s/current/args/containerd-template.toml"),),
    ),
    PLAIN,
)


def distribution(host: Host) -> Distribution:
    """The one on this node."""
    return next(each for each in DISTRIBUTIONS if host.has(each.folder))


def template(host: Host, found: Distribution, major: int) -> tuple[int, str] | None:
    """Version and path of the template to edit for a containerd of this major version; None without templates.

    One that is there is edited: it is what the distribution reads, even if it is of an older version.
    """
    readable = [(version, path) for version, path in found.templates if version == 2 or major >= 2]
    return next((each for each in readable if host.has(each[1])), readable[0] if readable else None)
