"""One pod of the Wasm runtime, made and removed through the node's containerd: the proof that an installation works."""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from wherry_shim.node.cri import Cri
from wherry_shim.node.fault import NodeError
from wherry_shim.node.table import HANDLER
from wherry_shim.proto import cri_pb2 as pb

_NAME = "wherry-probe"
_TRIES = 3
_RUN = 60.0
"""Seconds until the probe's program must have ended: its code is compiled first."""


@dataclass(frozen=True)
class Probe:
    """image: on the node already, with a program at path; without an image only the pod itself is tried.

    handler: the runtime. The pod is in the node's network, so that no other pod has to work before.
    """

    image: str = ""
    path: str = "/app.wasm"
    handler: str = HANDLER

    def run(self, cri: Cri) -> None:
        """Raises NodeError when the pod does not start, or its program does not end with 0.

        A kubelet ends pods that it does not know, every two seconds, and cannot be told of this one: it is tried anew.
        """
        for _ in range(_TRIES - 1):
            with contextlib.suppress(NodeError):
                return self._run(cri)
        return self._run(cri)

    def _run(self, cri: Cri) -> None:
        with self.sandbox(cri) as (sandbox, config):
            if self.image:
                container = self._start(cri, sandbox, config)
                self._expect_success(cri, container)

    @contextmanager
    def sandbox(self, cri: Cri) -> Iterator[tuple[str, pb.PodSandboxConfig]]:
        """A pod without containers, while the block runs: its id and configuration."""
        config = _config()
        request = pb.RunPodSandboxRequest(config=config, runtime_handler=self.handler)
        sandbox = cri.ask("RunPodSandbox", request, pb.RunPodSandboxResponse).pod_sandbox_id
        try:
            yield sandbox, config
        finally:
            # What went wrong inside is what matters; and a pod that cannot be removed is a fault only of its own.
            with contextlib.suppress(NodeError):
                cri.stop(sandbox)
        cri.remove(sandbox)

    def _start(self, cri: Cri, sandbox: str, config: pb.PodSandboxConfig) -> str:
        metadata, image = pb.ContainerMetadata(name=_NAME), pb.ImageSpec(image=self.image)
        container = pb.ContainerConfig(metadata=metadata, image=image, command=[self.path])
        create = pb.CreateContainerRequest(pod_sandbox_id=sandbox, config=container, sandbox_config=config)
        name = cri.ask("CreateContainer", create, pb.CreateContainerResponse).container_id
        cri.ask("StartContainer", pb.StartContainerRequest(container_id=name), pb.StartContainerResponse)
        return name

    def _expect_success(self, cri: Cri, container: str) -> None:
        request, deadline = pb.ContainerStatusRequest(container_id=container), time.monotonic() + _RUN
        while True:
            status = cri.ask("ContainerStatus", request, pb.ContainerStatusResponse).status
            if status.state == pb.ContainerState.CONTAINER_EXITED:
                break
            if time.monotonic() > deadline:
                raise NodeError(f"the probe {self.image} did not end within {_RUN:.0f} s")
            time.sleep(0.1)
        if status.exit_code:
            why = f"{status.reason} {status.message}".strip()
            raise NodeError(f"the probe {self.image} ended with {status.exit_code}: {why}, expected 0")


def _config() -> pb.PodSandboxConfig:
    metadata = pb.PodSandboxMetadata(name=_NAME, uid=str(uuid.uuid4()), namespace="wherry")
    options = pb.NamespaceOption(network=pb.NamespaceMode.NODE)
    linux = pb.LinuxPodSandboxConfig(security_context=pb.LinuxSandboxSecurityContext(namespace_options=options))
    return pb.PodSandboxConfig(metadata=metadata, hostname="", log_directory="", linux=linux)
