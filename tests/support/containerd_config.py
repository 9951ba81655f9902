"""The configuration file of a containerd of the tests. Pure. Version 2, which 1.7 and 2.x both read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

CRI = "io.containerd.grpc.v1.cri"
DISABLED = (
    "io.containerd.internal.v1.opt",
    "io.containerd.nri.v1.nri",  # listens at one path of the machine: a second containerd could not start
    "io.containerd.snapshotter.v1.blockfile",
    "io.containerd.snapshotter.v1.btrfs",
    "io.containerd.snapshotter.v1.devmapper",
    "io.containerd.snapshotter.v1.zfs",
)


@dataclass(frozen=True)
class Handler:
    """A row of containerd's runtime table. path: the shim's binary, where it is not found by its name."""

    name: str
    runtime_type: str = "io.containerd.runc.v2"
    options: Mapping[str, str | bool] = field(default_factory=dict)
    pod_annotations: tuple[str, ...] = ()
    container_annotations: tuple[str, ...] = ()
    path: Path | None = None

    def table(self) -> str:
        """As TOML; the contracts' own table for `wherry`."""
        rows = [
            ("runtime_type", self.runtime_type),
            ("pod_annotations", self.pod_annotations),
            ("container_annotations", self.container_annotations),
            ("runtime_path", str(self.path or "")),
        ]
        header = f'[plugins."{CRI}".containerd.runtimes.{self.name}]'
        return _table(header, rows) + _table(f"{header[:-1]}.options]", list(self.options.items()))


def runc(name: str, binary: Path, root: Path, *, systemd: bool = False) -> Handler:
    """runc under the cgroupfs driver or systemd's; root: where it keeps its state."""
    return Handler(name, options={"BinaryName": str(binary), "Root": str(root), "SystemdCgroup": systemd})


def wherry(name: str = "wherry", path: Path | None = None, options: Mapping[str, str | bool] | None = None) -> Handler:
    """Our shim, as the node installer configures it."""
    pod, container = ("plan.wherry.dev/*",), ("io.kubernetes.container.*",)
    return Handler(name, "io.containerd.wherry.v1", options or {}, pod, container, path)


@dataclass(frozen=True)
class Settings:
    """folder: where everything of this containerd lies. sandbox_image: what runc's pods are held by."""

    folder: Path
    cni_plugins: Path
    sandbox_image: str
    handlers: Sequence[Handler]

    @property
    def socket(self) -> Path:
        return self.folder / "containerd.sock"

    @property
    def root(self) -> Path:
        return self.folder / "root"

    @property
    def state(self) -> Path:
        return self.folder / "state"

    def toml(self) -> str:
        cri = [
            ("sandbox_image", self.sandbox_image),
            ("restrict_oom_score_adj", True),  # the machine's root may lack CAP_SYS_RESOURCE
            ("tolerate_missing_hugetlb_controller", True),
            ("netns_mounts_under_state_dir", True),
            ("stream_server_port", "0"),
        ]
        containers = [
            ("snapshotter", "overlayfs"),
            ("default_runtime_name", self.handlers[0].name),
            ("discard_unpacked_layers", False),
        ]
        cni = [("bin_dir", str(self.cni_plugins)), ("conf_dir", str(self.folder / "cni" / "net.d"))]
        main = [("version", 2), ("root", str(self.root)), ("state", str(self.state)), ("disabled_plugins", DISABLED)]
        return "\n".join(
            [
                _table("", main),
                _table("[grpc]", [("address", str(self.socket))]),
                _table(f'[plugins."{CRI}"]', cri),
                _table(f'[plugins."{CRI}".cni]', cni),
                _table(f'[plugins."{CRI}".registry]', [("config_path", str(self.folder / "certs.d"))]),
                _table(f'[plugins."{CRI}".containerd]', containers),
                *(handler.table() for handler in self.handlers),
            ]
        )


def _table(header: str, rows: Sequence[tuple[str, object]]) -> str:
    """Rows without a value are left out; JSON's strings, numbers, booleans and lists are TOML's too."""
    filled = [f"{name} = {json.dumps(value)}" for name, value in rows if value not in ("", ())]
    return "\n".join([header, *filled, ""]) if header or filled else ""
