"""The questions that containerd's files do not answer: which image a container has, and what an image's name means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from google.protobuf.message import DecodeError, Message

from wherry.errors import StartError
from wherry_shim.artifact.unary import NOT_FOUND, RpcError
from wherry_shim.artifact.unary_socket import called
from wherry_shim.proto.containers_pb2 import GetContainerRequest, GetContainerResponse
from wherry_shim.proto.images_pb2 import GetImageRequest, GetImageResponse

Answer = TypeVar("Answer", bound=Message)


@dataclass(frozen=True, slots=True)
class Containerd:
    """`wherry_shim.artifact.image.Records` of a containerd. Each question has a connection of its own, and blocks.

    address: its socket. timeout: seconds for a whole question.
    """

    address: str
    namespace: str
    timeout: float = 5.0

    def image_of(self, container: str) -> str:
        """The name of a container's image. Raises StartError `artifact`."""
        request = GetContainerRequest(id=container)
        answer = self._ask("containers.v1.Containers", request, GetContainerResponse, f"container {container}")
        if not answer.container.image:
            raise StartError("artifact", f"container {container} has no image", cure="create it from an image")
        return answer.container.image

    def target(self, image: str) -> str:
        """The digest of the manifest or index that a name stands for. Raises StartError `artifact`."""
        request = GetImageRequest(name=image)
        return self._ask("images.v1.Images", request, GetImageResponse, f"image {image}").image.target.digest

    def _ask(self, service: str, request: Message, answer: type[Answer], what: str) -> Answer:
        path, metadata = f"/containerd.services.{service}/Get", {"containerd-namespace": self.namespace}
        try:
            return answer.FromString(called(self.address, path, request.SerializeToString(), self.timeout, metadata))
        except RpcError as error:
            if error.code == NOT_FOUND:
                raise StartError("artifact", f"{what}: containerd does not have it", cure="pull it again") from None
            raise self._silent(what, f"{error} (gRPC code {error.code})") from None
        except (OSError, DecodeError) as error:
            raise self._silent(what, str(error)) from None

    def _silent(self, what: str, why: str) -> StartError:
        return StartError(
            "artifact",
            f"{what}: containerd at {self.address} gave no answer: {why}",
            cure="see whether containerd runs; the kubelet tries again",
        )
