"""The Pods of this node by uid, which is all that the runtime's files know of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from wherry.cluster.informer import Name
from wherry.cluster.names import APP, Manifest
from wherry.plan.annotation import PREFIX


@dataclass(frozen=True, slots=True)
class Code:
    """What a Wasm container needs compiled. image: pinned by its digest. plan: the container's annotation."""

    image: str
    plan: str


@dataclass(frozen=True, slots=True)
class PodOfNode:
    """app: the WasmApp's name, "" for a Pod of another origin. codes: of its Wasm containers. waits: to start."""

    namespace: str
    name: str
    uid: str
    app: str
    codes: tuple[Code, ...] = ()
    waits: bool = False

    def manifest(self) -> Manifest:
        """As much of the object as an Event needs."""
        labels = {APP: self.app} if self.app else {}
        metadata = {"namespace": self.namespace, "name": self.name, "uid": self.uid, "labels": labels}
        return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata}


class Pods:
    """A sink of an informer."""

    def __init__(self) -> None:
        self._by_uid: dict[str, PodOfNode] = {}

    def __iter__(self) -> Iterator[PodOfNode]:
        return iter(tuple(self._by_uid.values()))

    def get(self, uid: str) -> PodOfNode | None:
        """None for one that the API server has not told of, or no longer knows."""
        return self._by_uid.get(uid)

    def put(self, manifest: Manifest) -> None:
        metadata = manifest["metadata"]
        self._by_uid[metadata["uid"]] = PodOfNode(
            metadata["namespace"],
            metadata["name"],
            metadata["uid"],
            (metadata.get("labels") or {}).get(APP, ""),
            tuple(_codes(manifest)),
            (manifest.get("status") or {}).get("phase", "Pending") == "Pending" and "deletionTimestamp" not in metadata,
        )

    def remove(self, manifest: Manifest) -> None:
        self._by_uid.pop(manifest["metadata"]["uid"], None)

    def keep(self, namespace: str, names: set[Name]) -> None:  # noqa: ARG002 - the feed is of all namespaces
        self._by_uid = {uid: pod for uid, pod in self._by_uid.items() if (pod.namespace, pod.name) in names}


def _codes(pod: Manifest) -> Iterator[Code]:
    """An image by its tag may be another one by the time that the kubelet pulls it: those are left to it."""
    annotations = pod["metadata"].get("annotations") or {}
    for container in (pod.get("spec") or {}).get("containers") or ():
        plan = annotations.get(f"{PREFIX}{container['name']}")
        if plan and "@sha256:" in container.get("image", "") and container.get("imagePullPolicy") != "Never":
            yield Code(container["image"], plan)


class Orders:
    """A sink that remembers an annotation of one object.

    When that object goes, its last word stays: the DaemonSet is deleted before its Pods, and what was uninstalled a
    moment ago must not be installed again.
    """

    def __init__(self, annotation: str, name: str) -> None:
        self._annotation, self._name = annotation, name
        self.text: str | None = None
        """None until the object has been seen."""

    def put(self, manifest: Manifest) -> None:
        if manifest["metadata"]["name"] == self._name:
            self.text = (manifest["metadata"].get("annotations") or {}).get(self._annotation, "")

    def remove(self, manifest: Manifest) -> None:
        """Nothing is forgotten."""

    def keep(self, namespace: str, names: set[Name]) -> None:
        """Nothing is forgotten."""
