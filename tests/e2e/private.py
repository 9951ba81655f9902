"""A registry with a password, beside the cluster's own: known to its nodes and to the operator."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import bcrypt

from tests.e2e.cluster import Cluster, deploy, run

NAME, PORT = "wherry-private-registry", 5002
HOST = f"localhost:{PORT}"
USER, PASSWORD = "robot", "a password of a test"


@contextmanager
def private_registry(cluster: Cluster, folder: Path) -> Iterator[str]:
    """Its host. Afterwards the chart is as it was; a node's file about a registry that is gone harms nobody."""
    address = started(folder)
    for node in cluster.workers():
        place = f"/etc/containerd/certs.d/{HOST}"
        hosts = f'[host."http://{NAME}:5000"]\n'
        cluster.on_node(node, "sh", "-c", f"mkdir -p {place} && printf '%s' '{hosts}' > {place}/hosts.toml")
    entry = {"endpoint": f"http://{address}:5000", "plainHTTP": True, "allowPrivate": True}
    deploy(["--set-json", f"registries.{HOST}={json.dumps(entry)}"])
    yield HOST
    run("docker", "rm", "--force", "--volumes", NAME)
    deploy()


def started(folder: Path) -> str:
    """The registry's address in kind's network."""
    users = folder / "htpasswd"
    users.write_text(f"{USER}:{bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()}\n")
    access = {"REGISTRY_AUTH": "htpasswd", "REGISTRY_AUTH_HTPASSWD_REALM": "a", "REGISTRY_AUTH_HTPASSWD_PATH": "/users"}
    options = [word for name, value in access.items() for word in ("--env", f"{name}={value}")]
    run("docker", "rm", "--force", NAME, check=False)
    run("docker", "create", "--name", NAME, "--publish", f"127.0.0.1:{PORT}:5000", *options, "registry:3")
    run("docker", "cp", users, f"{NAME}:/users")
    run("docker", "start", NAME)
    run("docker", "network", "connect", "kind", NAME)
    shown = "{{.NetworkSettings.Networks.kind.IPAddress}}"
    return run("docker", "container", "inspect", "--format", shown, NAME).strip()
