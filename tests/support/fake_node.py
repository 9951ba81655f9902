"""A node without containers: it does what a kubelet tells the API server, and its Pods do what a test says.

Like a kubelet it registers the node, keeps its Lease alive, gives each Pod an address and a status with all
conditions, and lets go of a Pod that is being deleted. Nothing runs.
"""

from __future__ import annotations

import http.client
import itertools
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

from tests.support.apiserver import ApiServer
from tests.support.pod_statuses import Behaviour, gone, status, usual

READY = {"wherry.dev/runtime": "ready"}
APP = "wherry.dev/app"
CAPACITY = {"cpu": "100000", "memory": "100Ti", "pods": "100000", "ephemeral-storage": "100Ti"}
HEARTBEAT = 10.0
Manifest = dict[str, Any]


class FakeNode:
    """Made by `fake_node`. name: of the Node."""

    def __init__(self, server: ApiServer, name: str) -> None:
        self.name = name
        self._behaviours: dict[tuple[str, str], Behaviour] = {}
        self._pods: dict[str, Manifest] = {}
        self._shown: dict[str, object] = {}
        self._lock = threading.RLock()
        self._addresses = (f"10.{a}.{b}.{c}" for a, b, c in itertools.product(range(1, 255), range(256), range(1, 255)))
        self._api, self._watching, self._beating = _Api(server), _Api(server), _Api(server)

    def behave(self, namespace: str, app: str, behaviour: Behaviour) -> None:
        """How all Pods of an app are from now on, those that there are and those to come."""
        with self._lock:
            self._behaviours[namespace, app] = behaviour
            for pod in list(self._pods.values()):
                self._show(pod)

    def label(self, labels: Manifest) -> None:
        """Labels to set; None takes one away."""
        self._api.ask("PATCH", f"/api/v1/nodes/{self.name}", {"metadata": {"labels": labels}})

    def register(self) -> None:
        self._api.ask("POST", "/api/v1/nodes", _node(self.name))
        self._api.ask("PATCH", f"/api/v1/nodes/{self.name}/status", {"status": _node_status()})

    def beat(self, first: bool) -> None:
        """The kubelet's sign of life."""
        leases = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
        spec = {"holderIdentity": self.name, "leaseDurationSeconds": 40, "renewTime": f"{datetime.now(UTC):%FT%T.%fZ}"}
        if first:
            self._beating.ask("POST", leases, {"metadata": {"name": self.name}, "spec": spec})
        else:
            self._beating.ask("PATCH", f"{leases}/{self.name}", {"spec": spec})

    def follow(self, over: Callable[[], bool]) -> None:
        """The node's Pods, until it is over."""
        version = ""
        mine = {"fieldSelector": f"spec.nodeName={self.name}"}
        while not over():
            if not version:
                version = self._list(mine)
            query = mine | {"watch": "true", "resourceVersion": version, "timeoutSeconds": "60"}
            version = self._take(f"/api/v1/pods?{urlencode(query)}", version)

    def hang_up(self) -> None:
        """The watch ends now."""
        self._watching.hang_up()

    def close(self) -> None:
        for each in (self._api, self._watching, self._beating):
            each.close()

    def _list(self, mine: dict[str, str]) -> str:
        found = self._api.ask("GET", f"/api/v1/pods?{urlencode(mine)}")
        with self._lock:
            self._pods.clear()
            for pod in found["items"]:
                self._see(pod)
        return str(found["metadata"]["resourceVersion"])

    def _take(self, path: str, version: str) -> str:
        """Where to go on from; "" when that is too long ago."""
        for event in self._watching.lines(path):
            if event["type"] == "ERROR":
                return ""
            version = event["object"]["metadata"]["resourceVersion"]
            with self._lock:
                if event["type"] == "DELETED":
                    self._forget(event["object"])
                elif event["type"] != "BOOKMARK":
                    self._see(event["object"])
        return version

    def _see(self, pod: Manifest) -> None:
        self._pods[pod["metadata"]["uid"]] = pod
        if pod["metadata"].get("deletionTimestamp"):
            self._let_go(pod)
        else:
            self._show(pod)

    def _forget(self, pod: Manifest) -> None:
        self._pods.pop(pod["metadata"]["uid"], None)
        self._shown.pop(pod["metadata"]["uid"], None)

    def _show(self, pod: Manifest) -> None:
        """Tell the API server how the Pod is, unless it was told."""
        meta = pod["metadata"]
        app = meta.get("labels", {}).get(APP, "")
        behaviour = self._behaviours.get((meta["namespace"], app), usual)
        if self._shown.get(meta["uid"]) is behaviour or meta.get("deletionTimestamp"):
            return
        self._shown[meta["uid"]] = behaviour
        address = pod.get("status", {}).get("podIP") or next(self._addresses)
        self._api.ask("PATCH", f"{_path(pod)}/status", {"status": status(pod, behaviour(pod), address)})

    def _let_go(self, pod: Manifest) -> None:
        """The containers have ended: now the Pod may go."""
        if self._shown.get(pod["metadata"]["uid"]) is not gone:
            self._shown[pod["metadata"]["uid"]] = gone
            options = {"gracePeriodSeconds": 0, "preconditions": {"uid": pod["metadata"]["uid"]}}
            self._api.ask("DELETE", _path(pod), options)


@contextmanager
def fake_node(server: ApiServer, name: str = "fake") -> Iterator[FakeNode]:
    """A node that is ready; it stops with the block."""
    node, over = FakeNode(server, name), threading.Event()
    node.register()
    node.beat(first=True)

    def beats() -> None:
        while not over.wait(HEARTBEAT):
            node.beat(first=False)

    threads = [threading.Thread(target=node.follow, args=(over.is_set,)), threading.Thread(target=beats)]
    for thread in threads:
        thread.start()
    try:
        yield node
    finally:
        over.set()
        node.hang_up()
        for thread in threads:
            thread.join()
        node.close()


class _Api:
    """One connection that stays; of one thread, or behind a lock."""

    def __init__(self, server: ApiServer) -> None:
        self._server = server
        self._lock = threading.Lock()
        self._connection = self._connect()

    def ask(self, method: str, path: str, body: Manifest | None = None) -> Manifest:
        """A Pod may be gone or changed in between: such an answer is an answer."""
        with self._lock:
            try:
                return self._asked(method, path, body)
            except (http.client.HTTPException, OSError):  # an idle connection is closed after a while
                self._connection.close()
                return self._asked(method, path, body)

    def lines(self, path: str) -> Iterator[Manifest]:
        with self._lock:
            try:
                self._send("GET", path, None)
                yield from map(json.loads, self._connection.getresponse())
            except (http.client.HTTPException, OSError):
                self._connection.close()

    def hang_up(self) -> None:
        if self._connection.sock:
            self._connection.sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._connection.close()

    def _asked(self, method: str, path: str, body: Manifest | None) -> Manifest:
        self._send(method, path, body)
        found: Manifest = json.loads(self._connection.getresponse().read())
        return found

    def _send(self, method: str, path: str, body: Manifest | None) -> None:
        kind = "application/strategic-merge-patch+json" if method == "PATCH" else "application/json"
        if "leases" in path and method == "PATCH":
            kind = "application/merge-patch+json"
        headers = {"Authorization": f"Bearer {self._server.token}", "Content-Type": kind, "User-Agent": "fake-kubelet"}
        self._connection.request(method, path, None if body is None else json.dumps(body), headers)

    def _connect(self) -> http.client.HTTPSConnection:
        url = urlsplit(self._server.url)
        context = ssl.create_default_context(cafile=str(self._server.certificate))
        return http.client.HTTPSConnection(url.hostname or "", url.port, context=context)


def _path(pod: Manifest) -> str:
    return f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/{pod['metadata']['name']}"


def _node(name: str) -> Manifest:
    labels = {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}
    return {"metadata": {"name": name, "labels": labels | READY}, "spec": {"podCIDR": "10.0.0.0/8"}}


def _node_status() -> Manifest:
    now = f"{datetime.now(UTC):%FT%TZ}"
    ready = {"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "kubelet is posting ready status"}
    return {
        "capacity": CAPACITY,
        "allocatable": CAPACITY,
        "conditions": [ready | {"lastHeartbeatTime": now, "lastTransitionTime": now}],
        "addresses": [{"type": "InternalIP", "address": "10.0.0.1"}],
    }
