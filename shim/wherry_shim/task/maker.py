"""What a new task shall be, read from its bundle: the pod's sandbox, a guest, or an ordinary container."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wherry.errors import StartError
from wherry.plan import bundle as bundles
from wherry_shim import configuration
from wherry_shim.artifact.chain import Task as ImageTask
from wherry_shim.artifact.chain import is_wasm_image
from wherry_shim.artifact.containerd import Containerd
from wherry_shim.artifact.node import Node
from wherry_shim.holder import Holders
from wherry_shim.nursery import Nursery
from wherry_shim.order import WorkerOrder
from wherry_shim.proto.task_pb2 import CreateTaskRequest
from wherry_shim.reaper import Reaper
from wherry_shim.request import Request
from wherry_shim.settings import Settings
from wherry_shim.task.guest import Guest, Origin
from wherry_shim.task.planners import Planners
from wherry_shim.task.reload import remember_launcher
from wherry_shim.task.sandbox import Sandbox
from wherry_shim.task.sidecar import Sidecar
from wherry_shim.task.streams import Names
from wherry_shim.task.task import Task
from wherry_shim.task.workload import Workload

_SANDBOX_ID = "io.kubernetes.cri.sandbox-id"
_JOINED = ("net", "ipc", "uts")


class Maker:
    """Makes workloads of one host. tasks: those that are there, by id."""

    def __init__(self, request: Request, settings: Settings, nursery: Nursery, reaper: Reaper) -> None:
        self.tasks: Mapping[str, Task] = {}
        self._settings = settings
        self._holders = Holders(settings.holder)
        self._origin = Origin(nursery, Planners(nursery, reaper), reaper)
        self._records = Containerd(request.containerd, request.namespace)
        self._node = Node(request.containerd, request.namespace, settings.content, settings.cache)

    async def make(self, request: CreateTaskRequest, names: Names) -> Workload:
        """Raises StartError, OSError."""
        folder = Path(request.bundle)
        spec = configuration.read(folder)
        bundle = bundles.read(spec)
        if pod := bundle.annotations.get(_SANDBOX_ID):
            remember_launcher(folder, pod)
        match await self._role(request.id, bundle):
            case "sandbox":
                self._origin.planners.expect()
                return Sandbox(spec, folder, self._holders, self._origin.reaper)
            case "wasm":
                order = self._order(request, spec, bundle)
                return Guest(spec, order, names, self._settings.state, self._origin)
            case "container":
                return Sidecar(spec, request, names, self._node.namespace, self._settings, self._origin.reaper)

    async def _role(self, container: str, bundle: bundles.Bundle) -> bundles.Role:
        """The image is looked at in a thread: containerd may have to be asked for it."""
        if told := bundles.told_role(bundle):
            return told
        return await asyncio.to_thread(self._looked_for, container, bundle)

    def _looked_for(self, container: str, bundle: bundles.Bundle) -> bundles.Role:
        task = ImageTask(container, bundle, Path)  # whether a layer is Wasm is told without the root file system
        return bundles.role(bundle, lambda: is_wasm_image(task, self._node, self._records))

    def _order(self, request: CreateTaskRequest, spec: Mapping[str, Any], bundle: bundles.Bundle) -> WorkerOrder:
        root = self._settings.state / "root"
        root.mkdir(exist_ok=True)
        return WorkerOrder(
            container=request.id,
            bundle=request.bundle,
            rootfs=[(each.type, each.source, list(each.options)) for each in request.rootfs],
            joined=self._namespaces(spec, bundle),
            root=str(root),
            containerd=self._node.containerd,
            namespace=self._node.namespace,
            content=str(self._node.content),
            cache=str(self._node.cache),
        )

    def _namespaces(self, spec: Mapping[str, Any], bundle: bundles.Bundle) -> list[str]:
        """The pod's, by its holder; outside of a pod those that the specification names."""
        if pod := bundle.annotations.get(_SANDBOX_ID):
            if (task := self.tasks.get(pod)) is None:
                raise StartError("instantiate", f"pod {pod} is not here", cure="the kubelet makes the pod anew")
            return [f"/proc/{task.pid}/ns/{kind}" for kind in _JOINED]
        given = (spec.get("linux") or {}).get("namespaces") or ()
        return [each["path"] for each in given if each["type"] == "network" and each.get("path")]
