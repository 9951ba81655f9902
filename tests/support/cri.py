"""A small client of CRI, Kubernetes' protocol between kubelet and containerd: one method for each call that tests make.

Messages come from cri.proto beside this file, compiled once on a machine. pods.py has what a test reads better by.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import descriptor_pb2, message_factory

from examples.toolchain.cache import key, once, root

PROTO = Path(__file__).with_name("cri.proto")
PATIENCE = 120.0
"""Seconds for one call on a busy machine."""
BACKOFF = (("grpc.initial_reconnect_backoff_ms", 50), ("grpc.max_reconnect_backoff_ms", 500))
"""A containerd that was restarted is met again soon."""


class CriError(Exception):
    """containerd refused: code is gRPC's name of the status, such as NOT_FOUND."""

    def __init__(self, method: str, code: str, details: str) -> None:
        super().__init__(f"{method}: {code}: {details}")
        self.code, self.details = code, details


@dataclass(frozen=True)
class Executed:
    """What a command in a container came to."""

    code: int
    out: str
    err: str


def messages() -> Mapping[str, Any]:
    """Message classes by name: `RunPodSandboxRequest`, …"""
    target = root() / "tests" / f"cri-{key([PROTO, version('grpcio-tools')])}.pb"
    described = descriptor_pb2.FileDescriptorSet.FromString(once(target, _compile).read_bytes())
    classes = message_factory.GetMessages(list(described.file))
    return {name.removeprefix("runtime.v1."): each for name, each in classes.items()}


def _compile(target: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "grpc_tools.protoc",
        f"-I{PROTO.parent}",
        f"--descriptor_set_out={target}",
        str(PROTO),
    ]
    subprocess.run(command, check=True)


class Cri:
    """A connection to one containerd. Calls raise CriError. Threads may share it."""

    def __init__(self, socket: Path) -> None:
        self._messages = messages()
        self._channel = grpc.insecure_channel(f"unix:{socket}", options=BACKOFF)

    def close(self) -> None:
        self._channel.close()

    def message(self, name: str, **fields: Any) -> Any:
        """A message of cri.proto."""
        return self._messages[name](**fields)

    def call(self, service: str, method: str, seconds: float = PATIENCE, **fields: Any) -> Any:
        """One call of `RuntimeService` or `ImageService`; the answer is a message."""
        request = self._messages[f"{method}Request"](**fields)
        rpc = self._channel.unary_unary(
            f"/runtime.v1.{service}/{method}",
            request_serializer=type(request).SerializeToString,
            response_deserializer=self._messages[f"{method}Response"].FromString,
        )
        try:
            return rpc(request, timeout=seconds, wait_for_ready=True)
        except grpc.RpcError as error:
            raise CriError(method, error.code().name, error.details()) from None

    def _runtime(self, method: str, **fields: Any) -> Any:
        return self.call("RuntimeService", method, **fields)

    def _image(self, method: str, **fields: Any) -> Any:
        return self.call("ImageService", method, **fields)

    def version(self) -> str:
        """Such as `containerd v2.3.1`."""
        said = self._runtime("Version")
        return f"{said.runtime_name} {said.runtime_version}"

    def ready(self) -> bool:
        """Whether it takes pods: both the runtime and the network are ready."""
        conditions = {each.type: each.status for each in self._runtime("Status").status.conditions}
        return bool(conditions["RuntimeReady"] and conditions["NetworkReady"])

    def run_pod(self, handler: str, config: Any) -> str:
        return str(self._runtime("RunPodSandbox", config=config, runtime_handler=handler).pod_sandbox_id)

    def stop_pod(self, pod: str) -> None:
        self._runtime("StopPodSandbox", pod_sandbox_id=pod)

    def remove_pod(self, pod: str) -> None:
        self._runtime("RemovePodSandbox", pod_sandbox_id=pod)

    def pod_status(self, pod: str) -> Any:
        """A PodSandboxStatus."""
        return self._runtime("PodSandboxStatus", pod_sandbox_id=pod).status

    def pod_stats(self, pod: str) -> Any:
        """A LinuxPodSandboxStats."""
        return self._runtime("PodSandboxStats", pod_sandbox_id=pod).stats.linux

    def pods(self) -> list[Any]:
        """Every PodSandbox."""
        return list(self._runtime("ListPodSandbox").items)

    def create(self, pod: str, config: Any, pod_config: Any) -> str:
        fields = {"pod_sandbox_id": pod, "config": config, "sandbox_config": pod_config}
        return str(self._runtime("CreateContainer", **fields).container_id)

    def start(self, container: str) -> None:
        self._runtime("StartContainer", container_id=container)

    def stop(self, container: str, grace: int) -> None:
        """SIGTERM, and SIGKILL after grace seconds; 0 is SIGKILL at once."""
        self._runtime("StopContainer", container_id=container, timeout=grace)

    def remove(self, container: str) -> None:
        self._runtime("RemoveContainer", container_id=container)

    def status(self, container: str) -> Any:
        """A ContainerStatus."""
        return self._runtime("ContainerStatus", container_id=container).status

    def details(self, container: str) -> Mapping[str, str]:
        """What containerd adds to the status when asked for more: JSON texts, `info` among them."""
        return dict(self._runtime("ContainerStatus", container_id=container, verbose=True).info)

    def containers(self) -> list[Any]:
        """Every Container."""
        return list(self._runtime("ListContainers").containers)

    def exec(self, container: str, command: Sequence[str], seconds: int = 30) -> Executed:
        said = self._runtime("ExecSync", container_id=container, cmd=command, timeout=seconds)
        return Executed(said.exit_code, said.stdout.decode(), said.stderr.decode())

    def stats(self, container: str) -> Any:
        """A ContainerStats."""
        return self._runtime("ContainerStats", container_id=container).stats

    def all_stats(self) -> list[Any]:
        return list(self._runtime("ListContainerStats").stats)

    def update(self, container: str, **resources: Any) -> None:
        """resources: fields of LinuxContainerResources."""
        self._runtime("UpdateContainerResources", container_id=container, linux=resources)

    def reopen_log(self, container: str) -> None:
        self._runtime("ReopenContainerLog", container_id=container)

    def pull(self, image: str) -> str:
        """The image's id."""
        return str(self._image("PullImage", image={"image": image}).image_ref)

    def image(self, image: str) -> Any | None:
        """An Image; None where it was not pulled."""
        said = self._image("ImageStatus", image={"image": image})
        return said.image if said.HasField("image") else None

    def images(self) -> list[Any]:
        return list(self._image("ListImages").images)

    def remove_image(self, image: str) -> None:
        self._image("RemoveImage", image={"image": image})
