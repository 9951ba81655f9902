"""CRI, as the kubelet speaks it, for the few things that an installer asks: is it well, what runs, can a pod start.

Kubernetes' CRI v1 over gRPC. Each question has a connection of its own, and blocks.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from google.protobuf.message import DecodeError, Message

from wherry_shim.artifact.unary import RpcError
from wherry_shim.artifact.unary_socket import called
from wherry_shim.node.fault import NodeError
from wherry_shim.proto import cri_pb2 as pb

Answer = TypeVar("Answer", bound=Message)


@dataclass(frozen=True)
class Cri:
    """socket: its path for us. timeout: seconds for a whole question."""

    socket: Path
    timeout: float = 30.0

    def handlers(self) -> set[str]:
        """Names of the runtimes that pods may ask for. Raises NodeError while it is not ready for pods."""
        status = self.ask("Status", pb.StatusRequest(verbose=True), pb.StatusResponse)
        for condition in status.status.conditions:
            # The network comes later on a node: from a pod.
            if condition.type == "RuntimeReady" and not condition.status:
                raise NodeError(f"containerd is not ready: {condition.reason}: {condition.message}")
        try:
            return set(json.loads(status.info["config"])["containerd"]["runtimes"])
        except (KeyError, TypeError, ValueError):
            raise NodeError(
                f"{self.socket}: containerd does not show its configuration, as versions 1.6 to 2.3 do"
            ) from None

    def sandboxes(self, handler: str) -> Iterator[pb.PodSandbox]:
        """The pods of one runtime that run."""
        for pod in self.ask("ListPodSandbox", pb.ListPodSandboxRequest(), pb.ListPodSandboxResponse).items:
            if pod.runtime_handler == handler and pod.state == pb.PodSandboxState.SANDBOX_READY:
                yield pod

    def stop(self, sandbox: str) -> None:
        """End a pod and everything in it."""
        self.ask("StopPodSandbox", pb.StopPodSandboxRequest(pod_sandbox_id=sandbox), pb.StopPodSandboxResponse)

    def remove(self, sandbox: str) -> None:
        """Forget a pod that was stopped."""
        self.ask("RemovePodSandbox", pb.RemovePodSandboxRequest(pod_sandbox_id=sandbox), pb.RemovePodSandboxResponse)

    def pull(self, image: str) -> bool:
        """Have an image, fetched as anybody may; whether that was needed. Raises NodeError for one that nobody may."""
        spec = pb.ImageSpec(image=image)
        there = self.ask("ImageStatus", pb.ImageStatusRequest(image=spec), pb.ImageStatusResponse, "ImageService")
        if there.HasField("image"):
            return False
        self.ask("PullImage", pb.PullImageRequest(image=spec), pb.PullImageResponse, "ImageService")
        return True

    def ask(self, method: str, request: Message, answer: type[Answer], service: str = "RuntimeService") -> Answer:
        """Any question. Raises NodeError with what containerd says, or that it is silent."""
        path = f"/runtime.v1.{service}/{method}"
        try:
            return answer.FromString(called(str(self.socket), path, request.SerializeToString(), self.timeout))
        except (OSError, RpcError, DecodeError) as error:
            raise NodeError(f"{self.socket}: {method}: {error}", cure="see the log of containerd") from None
