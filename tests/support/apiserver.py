"""A real kube-apiserver with etcd, for tests that ask what Kubernetes itself says."""

from __future__ import annotations

import json
import secrets
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.support import cluster

T = TypeVar("T")
PATIENCE = 120.0
"""Seconds for a start on a busy machine."""
ENABLE = (
    "run `cluster/binaries` or set WHERRY_CLUSTER_CACHE to a folder with bin/kube-apiserver, bin/etcd and bin/kubectl"
)


def programs() -> Path | None:
    """The folder of kube-apiserver, etcd and kubectl; None where they are not installed."""
    folder = cluster.programs()
    return folder if all((folder / name).exists() for name in ("etcd", "kube-apiserver", "kubectl")) else None


@dataclass(frozen=True)
class Answer:
    status: int
    body: dict[str, Any]


@dataclass(frozen=True)
class ApiServer:
    url: str
    token: str
    certificate: Path
    programs: Path

    def ask(
        self, method: str, path: str, body: object = None, content_type: str = "application/json", user: str = ""
    ) -> Answer:
        """One request; an answer with any status. user: who asks, as the administrator may say."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": content_type}
        if user:
            headers["Impersonate-User"] = user
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        context = ssl.create_default_context(cafile=str(self.certificate))
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE, context=context) as response:
                return Answer(response.status, json.load(response))
        except urllib.error.HTTPError as error:
            with error:
                text = error.read().decode()
                return Answer(error.code, json.loads(text) if text.startswith("{") else {"message": text})

    def kubectl(self, *args: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        connection = [f"--server={self.url}", f"--token={self.token}", f"--certificate-authority={self.certificate}"]
        command = [str(self.programs / "kubectl"), *connection, *args]
        return subprocess.run(command, input=stdin, text=True, capture_output=True, timeout=PATIENCE, check=False)


@contextmanager
def api_server(folder: Path, programs: Path, *flags: str) -> Iterator[ApiServer]:
    """A server on loopback with an empty store in `folder`; ended with the block. flags: more of kube-apiserver's."""
    client, peer, port = free_ports(3)
    token = secrets.token_hex(16)
    (folder / "tokens.csv").write_text(f"{token},tester,tester,system:masters\n")
    _write_key(folder / "accounts.pem")
    with ExitStack() as stack:
        for name, command in (
            ("etcd", _etcd(folder, client, peer)),
            ("kube-apiserver", [*_kube_apiserver(folder, client, port), *flags]),
        ):
            stack.enter_context(process([str(programs / name), *command], folder / f"{name}.log"))
        server = ApiServer(f"https://127.0.0.1:{port}", token, folder / "certificates" / "apiserver.crt", programs)
        until(lambda: server.certificate.exists() and server.ask("GET", "/api/v1/namespaces/default").status == 200)
        yield server


NO_ACCOUNTS = "--disable-admission-plugins=ServiceAccount"
"""For a server without controllers, of which one makes the account that every Pod gets."""


def until(holds: Callable[[], T]) -> T:
    """The first true answer, asked again for as long as it is false or no connection can be made."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            if answer := holds():
                return answer
        except OSError as error:
            if time.monotonic() > deadline:
                raise TimeoutError(f"not within {PATIENCE:.0f} s") from error
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {PATIENCE:.0f} s")
        time.sleep(0.1)


def _etcd(folder: Path, client: int, peer: int) -> list[str]:
    urls = f"http://127.0.0.1:{client}"
    peers = f"http://127.0.0.1:{peer}"
    return [
        f"--data-dir={folder / 'etcd'}",
        f"--listen-client-urls={urls}",
        f"--advertise-client-urls={urls}",
        f"--listen-peer-urls={peers}",
        f"--initial-advertise-peer-urls={peers}",
        f"--initial-cluster=default={peers}",
        "--unsafe-no-fsync",
    ]


def _kube_apiserver(folder: Path, etcd: int, port: int) -> list[str]:
    return [
        f"--etcd-servers=http://127.0.0.1:{etcd}",
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        f"--secure-port={port}",
        f"--cert-dir={folder / 'certificates'}",
        f"--token-auth-file={folder / 'tokens.csv'}",
        "--authorization-mode=RBAC",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={folder / 'accounts.pem'}",
        f"--service-account-signing-key-file={folder / 'accounts.pem'}",
        "--service-cluster-ip-range=10.0.0.0/16",
        "--endpoint-reconciler-type=none",
    ]


@contextmanager
def process(command: list[str], log: Path) -> Iterator[None]:
    """A program that is ended with the block."""
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output) as process:
        try:
            yield
        finally:
            process.kill()


def _write_key(path: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL
    path.write_bytes(key.private_bytes(encoding, form, serialization.NoEncryption()))


def free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
