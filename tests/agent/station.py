"""One node's objects in a real API server, connections with the chart's rights, and a kubelet played by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from tests.agent.cluster import rights
from tests.support.apiserver import Answer, ApiServer, until
from tests.support.control_plane import write_kubeconfig
from wherry.cluster.connection import Connection, connect
from wherry.cluster.credentials import KubeConfig
from wherry_agent.post import Post

T = TypeVar("T")
AGENTS = {"app": "wherry-agent"}
MERGE = "application/merge-patch+json"
_PATHS = {
    "Namespace": "/api/v1/namespaces",
    "Node": "/api/v1/nodes",
    "RuntimeClass": "/apis/node.k8s.io/v1/runtimeclasses",
    "ClusterRole": "/apis/rbac.authorization.k8s.io/v1/clusterroles",
    "ClusterRoleBinding": "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
    "ServiceAccount": "/api/v1/namespaces/{}/serviceaccounts",
    "Pod": "/api/v1/namespaces/{}/pods",
    "Role": "/apis/rbac.authorization.k8s.io/v1/namespaces/{}/roles",
    "RoleBinding": "/apis/rbac.authorization.k8s.io/v1/namespaces/{}/rolebindings",
    "DaemonSet": "/apis/apps/v1/namespaces/{}/daemonsets",
    "Event": "/api/v1/namespaces/{}/events",
}


@dataclass(frozen=True)
class Station:
    """name: of the namespace; the node is `node-of-<name>`, its agent's Pod `agent-of-<name>`."""

    server: ApiServer
    folder: Path
    name: str

    @property
    def node(self) -> str:
        return f"node-of-{self.name}"

    @property
    def pod(self) -> str:
        return f"agent-of-{self.name}"

    @property
    def post(self) -> Post:
        """On a root of its own."""
        root = self.folder / "root"
        root.mkdir(exist_ok=True)
        known = {"node": self.node, "namespace": self.name, "pod": self.pod, "daemon_set": "wherry-agent"}
        return Post(root=root, prefix="/opt/wherry", **known)

    def prepare(self) -> None:
        self.create("Namespace", {"metadata": {"name": self.name}})
        self.create("Node", {"metadata": {"name": self.node, "labels": {"theirs": "stays"}}})
        self.create("RuntimeClass", {"metadata": {"name": "wherry-probe"}, "handler": "wherry"})
        for name in ("agent", "uninstall"):
            for each in rights(name, self.name):
                self.create(each["kind"], each)
        self.create_agent(self.pod, self.node)
        template = {"metadata": {"labels": AGENTS}, "spec": {"containers": [{"name": "agent", "image": "agent:1"}]}}
        spec = {"selector": {"matchLabels": AGENTS}, "template": template}
        self.create("DaemonSet", {"metadata": {"name": "wherry-agent"}, "spec": spec})

    def create_agent(self, name: str, node: str) -> None:
        """A Pod as the DaemonSet's controller makes it."""
        containers = [{"name": "agent", "image": "registry.example.com/agent:1"}]
        spec = {"nodeName": node, "serviceAccountName": "wherry-agent", "containers": containers}
        self.create("Pod", {"metadata": {"name": name, "labels": AGENTS}, "spec": spec})

    def create(self, kind: str, body: dict[str, Any], namespace: str = "") -> dict[str, Any]:
        """As the administrator. What is there already stays."""
        answer = self.try_to_create(kind, body, namespace)
        assert answer.status in {201, 409}, answer.body
        return answer.body

    def try_to_create(self, kind: str, body: dict[str, Any], namespace: str = "") -> Answer:
        return self.server.ask("POST", _PATHS[kind].format(namespace or self.name), body)

    def would_say(self, kind: str, body: dict[str, Any]) -> str:
        """What it is answered who creates this, which is not done."""
        return str(self.server.ask("POST", f"{_PATHS[kind].format(self.name)}?dryRun=All", body).body)

    def get(self, kind: str, name: str = "", namespace: str = "") -> Answer:
        path = _PATHS[kind].format(namespace or self.name)
        return self.server.ask("GET", f"{path}/{name}" if name else path)

    def metadata(self, kind: str, name: str) -> dict[str, Any]:
        """With labels and annotations, even when there are none."""
        found = self.get(kind, name)
        assert found.status == 200, found.body
        return {"labels": {}, "annotations": {}, **found.body["metadata"]}

    def patch(self, kind: str, name: str, body: dict[str, Any], part: str = "", namespace: str = "") -> None:
        path = f"{_PATHS[kind].format(namespace or self.name)}/{name}{part}"
        answer = self.server.ask("PATCH", path, body, MERGE)
        assert answer.status == 200, answer.body

    def delete(self, kind: str, name: str) -> None:
        answer = self.server.ask("DELETE", f"{_PATHS[kind].format(self.name)}/{name}")
        assert answer.status in {200, 202}, answer.body

    def annotate(self, kind: str, name: str, **annotations: str | None) -> None:
        """Names have `_` for `-`, and our prefix."""
        named = {f"wherry.dev/{key.replace('_', '-')}": value for key, value in annotations.items()}
        self.patch(kind, name, {"metadata": {"annotations": named}})

    def kubelet_says(self, pod: str, **status: Any) -> None:
        self.patch("Pod", pod, {"status": status}, "/status")

    @asynccontextmanager
    async def connected(self, account: str = "agent", url: str = "", pod: str = "") -> AsyncIterator[Connection]:
        """With the rights that the chart gives to `wherry-<account>`, and no others. pod: whose token it is."""
        path = f"/api/v1/namespaces/{self.name}/serviceaccounts/wherry-{account}/token"
        bound = (
            {"kind": "Pod", "apiVersion": "v1", "name": pod, "uid": self.metadata("Pod", pod)["uid"]} if pod else None
        )
        spec = {"boundObjectRef": bound} if bound else {}
        request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
        answer = self.server.ask("POST", path, request)
        assert answer.status == 201, answer.body
        token = answer.body["status"]["token"]
        known = write_kubeconfig(self.folder, self.server, url or self.server.url, token)
        async with connect(KubeConfig(str(known)), "wherry-tests") as connection:
            yield connection


async def soon(holds: Callable[[], T]) -> T:
    """`until`, beside what runs in the loop."""
    return await asyncio.to_thread(until, holds)


async def beside(work: Awaitable[None], told: Callable[[], None]) -> None:
    """Let it work while the test plays the others; both must succeed."""
    await asyncio.gather(work, asyncio.to_thread(told))
