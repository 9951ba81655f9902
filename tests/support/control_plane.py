"""A whole control plane without nodes: etcd, kube-apiserver, kube-controller-manager and kube-scheduler on loopback."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.support import cluster
from tests.support.apiserver import ApiServer, api_server, process, until
from tests.support.audit import POLICY, Asked, AuditLog

ENABLE = (
    "run `cluster/binaries` or set WHERRY_CLUSTER_CACHE to a folder with bin/kube-apiserver, "
    "bin/kube-controller-manager, bin/kube-scheduler, bin/etcd and bin/kubectl"
)
PROGRAMS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl")
CRDS = Path(__file__).parents[2] / "crds"
CONTROLLERS = (
    "cronjob", "daemonset", "deployment", "disruption", "endpointslice", "garbage-collector",
    "horizontal-pod-autoscaler", "job", "namespace", "node-lifecycle", "pod-garbage-collector", "replicaset",
    "root-ca-certificate-publisher", "serviceaccount", "serviceaccount-token", "taint-eviction", "ttl-after-finished",
    "validatingadmissionpolicy-status",
)  # fmt: skip
"""Those that make something of what the operator writes; more would cost time at rest."""
RBAC = "/apis/rbac.authorization.k8s.io/v1"
RUNTIME_CLASS = {
    "apiVersion": "node.k8s.io/v1",
    "kind": "RuntimeClass",
    "metadata": {"name": "wherry"},
    "handler": "wherry",
    "scheduling": {"nodeSelector": {"wherry.dev/runtime": "ready"}},
}


def programs() -> Path | None:
    """The folder of the programs; None where one is missing."""
    folder = cluster.programs()
    return folder if all((folder / name).exists() for name in PROGRAMS) else None


@dataclass(frozen=True)
class ControlPlane:
    """server: asked as an administrator. audit: every request that it has answered."""

    server: ApiServer
    audit: AuditLog
    folder: Path

    def new_namespace(self) -> str:
        """An empty one, in which Pods can be made."""
        name = f"test-{secrets.token_hex(4)}"
        self.create("/api/v1/namespaces", {"metadata": {"name": name}})
        until(lambda: self.server.ask("GET", f"/api/v1/namespaces/{name}/serviceaccounts/default").status == 200)
        return name

    def create(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """POST, which must succeed."""
        answer = self.server.ask("POST", path, body)
        assert answer.status in (200, 201, 202), answer.body
        return answer.body

    def asked(self, mark: int, *, agent: str = "", user: str = "") -> list[Asked]:
        """What was asked since the mark, and by this moment. agent, user: how they must begin."""
        name = f"marker-{secrets.token_hex(4)}"
        self.server.ask("GET", f"/api/v1/namespaces/{name}")
        until(lambda: any(each.name == name for each in self.audit.since(mark)))
        return [each for each in self.audit.since(mark, agent=agent, user=user) if each.name != name]

    def account(
        self, namespace: str, name: str, rules: Sequence[dict[str, Any]], own: Sequence[dict[str, Any]] = ()
    ) -> str:
        """A token of a new service account. rules: what it may do in the whole cluster; own: in its namespace."""
        self.create(f"/api/v1/namespaces/{namespace}/serviceaccounts", {"metadata": {"name": name}})
        subject = {"kind": "ServiceAccount", "namespace": namespace, "name": name}
        self._grant(f"{RBAC}/clusterrole", "ClusterRole", f"{namespace}-{name}", rules, subject)
        self._grant(f"{RBAC}/namespaces/{namespace}/role", "Role", name, own, subject)
        token = self.create(f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token", {"spec": {}})
        return str(token["status"]["token"])

    def _grant(self, path: str, kind: str, name: str, rules: Sequence[dict[str, Any]], subject: dict[str, str]) -> None:
        role = {"metadata": {"name": name}}
        self.create(f"{path}s", role | {"rules": list(rules)})
        reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name}
        self.create(f"{path}bindings", role | {"roleRef": reference, "subjects": [subject]})

    def kubeconfig(self, *, url: str = "", token: str = "") -> Path:
        """A new file. url: of a proxy; token: of an account; those of the administrator without them."""
        return write_kubeconfig(self.folder, self.server, url or self.server.url, token or self.server.token)


@contextmanager
def control_plane(folder: Path, programs: Path) -> Iterator[ControlPlane]:
    """With the CRDs of the tree and a RuntimeClass; ended with the block."""
    audit = AuditLog(folder / "audit.log")
    (folder / "audit.yaml").write_text(json.dumps(POLICY))
    flags = (
        f"--audit-policy-file={folder / 'audit.yaml'}",
        f"--audit-log-path={audit.path}",
        "--audit-log-mode=blocking",
    )
    with ExitStack() as stack:
        server = stack.enter_context(api_server(folder, programs, *flags))
        plane = ControlPlane(server, audit, folder)
        install(plane, *sorted(CRDS.glob("*.yaml")))
        plane.create("/apis/node.k8s.io/v1/runtimeclasses", RUNTIME_CLASS)
        for name, flags_of in (("kube-controller-manager", _controller_manager), ("kube-scheduler", _scheduler)):
            command = [str(programs / name), *flags_of(plane)]
            stack.enter_context(process(command, folder / f"{name}.log"))
        until(lambda: server.ask("GET", "/api/v1/namespaces/default/serviceaccounts/default").status == 200)
        yield plane


def install(plane: ControlPlane, *crds: Path) -> None:
    """Custom resources, until they are served."""
    for path in crds:
        body = yaml.safe_load(path.read_text())
        plane.create("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", body)
        spec = body["spec"]
        for version in spec["versions"]:
            served = f"/apis/{spec['group']}/{version['name']}/{spec['names']['plural']}"
            until(lambda served=served: plane.server.ask("GET", served).status == 200)  # type: ignore[misc]


def write_kubeconfig(folder: Path, server: ApiServer, url: str, token: str) -> Path:
    connection: dict[str, Any] = {"server": url}
    if url.startswith("https"):
        connection["certificate-authority"] = str(server.certificate)
    path = folder / f"kubeconfig-{secrets.token_hex(4)}"
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "test",
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
        "clusters": [{"name": "test", "cluster": connection}],
        "users": [{"name": "test", "user": {"token": token}}],
    }
    path.write_text(json.dumps(config))
    return path


def _controller_manager(plane: ControlPlane) -> list[str]:
    return [
        *_client(plane),
        f"--controllers={','.join(f'{name}-controller' for name in CONTROLLERS)}",
        f"--service-account-private-key-file={plane.folder / 'accounts.pem'}",
        f"--root-ca-file={plane.server.certificate}",
        "--concurrent-gc-syncs=4",
        "--use-service-account-credentials",  # as every cluster does it: a controller is known by its name
    ]


def _scheduler(plane: ControlPlane) -> list[str]:
    return _client(plane)


def _client(plane: ControlPlane) -> list[str]:
    """Of a component that serves nothing and need not save requests."""
    return [
        f"--kubeconfig={plane.kubeconfig()}",
        "--leader-elect=false",
        "--secure-port=0",
        "--kube-api-qps=2000",
        "--kube-api-burst=4000",
    ]
