"""Local stand-ins for the images that critest pulls from registries of the internet, made of Debian's static busybox.

A node is told that those registries are the test's own; critest's own `--registry-prefix` would lose the tags.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import replace

from tests.support import images, oci_images, programs
from tests.support.oci_images import ARCHITECTURE, Image

HOSTS = ("registry.k8s.io", "k8s.gcr.io", "gcr.io")
"""Where critest pulls from."""
TOOLS = "k8s-staging-cri-tools"
PASSWD = b"""\
root:x:0:0:root:/root:/bin/sh
www-data:x:33:33:www-data:/var/www:/bin/false
default-user:x:1000:1000::/home/default-user:/bin/sh
nobody:x:65534:65534::/:/bin/false
"""
GROUP = b"""\
root:x:0:
www-data:x:33:
default-user:x:1000:
group-defined-in-image:x:50000:default-user
"""
USERS = {
    "user-uid": "1002",
    "user-username": "www-data",
    "user-uid-group": "1003:1004",
    "user-username-group": "www-data:1004",
    "predefined-group": "1000",
}
"""Whom test-image-<name> runs as."""
SCRIPTS = {
    "/bin/pgrep": b'#!/bin/sh\nps | grep "[0-9] $1" | while read -r pid _; do echo "$pid"; done\n',
    "/bin/ipcs": b"#!/bin/sh\ncat /proc/sysvipc/shm\n",
}
"""What critest runs and Debian's busybox lacks."""
TAGS = ("1:latest", "2:latest", "3:latest", "latest:latest", "tag:test", "tag:all")
"""Images that differ in one file."""


def stand_ins() -> Mapping[str, Image]:
    """By repository and tag. test-image-digest is missing: nothing else can have its digest."""
    busybox = _busybox()
    found = {"e2e-test-images/busybox:1.29-2": busybox, "pause:3.9": _with(images.container("pause"), "3.9")}
    found["e2e-test-images/nginx:1.14-2"] = found["e2e-test-images/httpd:2.4.39-4"] = _nginx(busybox, 80)
    found["e2e-test-images/nonewprivs:1.3"] = replace(images.container("effective"), setuid=frozenset({"/effective"}))
    found[f"{TOOLS}/hostnet-nginx-{ARCHITECTURE}:latest"] = _nginx(busybox, 12003)
    for name, user in USERS.items():
        found[f"{TOOLS}/test-image-{name}:latest"] = replace(busybox, config={**busybox.config, "User": user})
    for name in TAGS:
        found[f"{TOOLS}/test-image-{name}"] = _with(busybox, name)
    for tag in "123":
        found[f"{TOOLS}/test-image-tags:{tag}"] = _with(busybox, "same-image")
    return found


def fill(host: str) -> None:
    """Push all of them to the registry at host."""
    for name, image in stand_ins().items():
        repository, _, tag = name.rpartition(":")
        oci_images.push(host, repository, tag, image)


def _busybox() -> Image:
    program = programs.installed("busybox")
    listed = subprocess.run([program, "--list"], capture_output=True, text=True, check=True).stdout.split()
    links = {f"/bin/{name}": "/bin/busybox" for name in listed if name != "busybox"}
    files = {"/bin/busybox": program.read_bytes(), "/etc/passwd": PASSWD, "/etc/group": GROUP, "/var/run/.keep": b""}
    missing = {name: script for name, script in SCRIPTS.items() if name not in links}
    return Image(files | missing, {"Env": ["PATH=/bin"], "Cmd": ["sh"]}, links)


def _with(image: Image, mark: str) -> Image:
    return replace(image, files={**image.files, f"/{mark}": mark.encode()})


def _nginx(busybox: Image, port: int) -> Image:
    """A web server that critest takes for nginx: it looks for a pid file and the words `master process`."""
    served = replace(busybox, files={**busybox.files, "/bin/nginx": images.native("httpd").read_bytes()})
    script = f"echo httpd; echo $$ >/var/run/nginx.pid; exec nginx {port} 'master process'"
    return replace(served, config={**busybox.config, "Cmd": ["sh", "-c", script]})
