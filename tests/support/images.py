"""What pods of the tests run, in a registry of the tests: Wasm artifacts, a tar image that holds a .wasm, and ordinary
containers of static C programs. References are the same in every test: `registry.test/<name>:v1`.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from examples.toolchain.cache import key, once, root
from tests.support import guests, oci_images, programs
from tests.support.oci_images import Image
from wherry.oci.access import Access
from wherry.oci.push import push

HOST = "registry.test"
PAUSE = f"{HOST}/pause:v1"
NATIVE = ("hello", "hold", "httpd", "pause", "work")
"""Programs of tests/guests/native. An image of each: `registry.test/<name>:v1`, started with `/<name>`."""
HELLO = Path(__file__).parent.parent.parent / "examples" / "01-hello" / "hello.wasm"

WASM: Mapping[str, Callable[[], Path]] = {
    "wasm-hello": lambda: HELLO,
    "wasm-http": lambda: guests.http("hello"),
    "wasm-types": lambda: guests.http("types"),
    "wasm-outbound": lambda: guests.http("outbound"),
    "wasm-fetch": lambda: guests.caller("fetch"),
    "wasm-wasi": lambda: guests.command("wasi"),
    "wasm-component": lambda: guests.command_component("wasi"),
    "wasm-hold": lambda: guests.command("hold"),
    "wasm-echo": lambda: guests.command("echo"),
    "wasm-exit": lambda: guests.command("exit"),
    "wasm-files": lambda: guests.command("files"),
    "wasm-relay": lambda: guests.command("relay"),
    "wasm-hostile": lambda: guests.command_with_dwarf("hostile"),
}
"""Artifacts in the CNCF layout, by repository. `wasm-hello`, `-http`, `-types` and `-outbound` serve HTTP, the others
are commands; `-fetch` and `-component` are components."""
SHELL = "shell"
"""An ordinary container with busybox, whose argument is a shell command."""
TAR = "wasm-tar"
"""The guest of `wasm-echo` as a file of an ordinary image, named by its entrypoint."""


def reference(name: str) -> str:
    """As a pod names it."""
    return f"{HOST}/{name}:v1"


def native(name: str) -> Path:
    """A static program of tests/guests/native, compiled once on a machine."""
    source = guests.SOURCES / "native" / f"{name}.c"
    target = root() / "guests" / f"native-{name}-{key([source])}"
    return once(target, lambda out: _compile(source, out))


def _compile(source: Path, out: Path) -> None:
    subprocess.run([programs.installed("gcc"), "-static", "-Os", "-s", "-o", out, source], check=True)


def container(name: str) -> Image:
    return Image({f"/{name}": native(name).read_bytes()}, {"Entrypoint": [f"/{name}"], "Env": ["PATH=/"]})


def shell() -> Image:
    """busybox, whole: whoever needs a shell in an ordinary container."""
    links = {f"/bin/{name}": "/bin/busybox" for name in ("sh", "cat", "sleep", "stty", "tail", "dd", "true")}
    binary = programs.installed("busybox").read_bytes()
    return Image({"/bin/busybox": binary}, {"Entrypoint": ["/bin/sh", "-c"], "Env": ["PATH=/bin"]}, links)


def fill(host: str, cache: Path) -> None:
    """Push all of them to the registry at host, `localhost:<port>`. cache: a folder for our own push."""
    for name in NATIVE:
        oci_images.push(host, name, "v1", container(name))
    oci_images.push(host, SHELL, "v1", shell())
    access = Access(cache)
    for name, guest in WASM.items():
        push(guest(), f"{host}/{name}:v1", access)
    wasm = Image({"/app/echo.wasm": guests.command("echo").read_bytes()}, {"Entrypoint": ["/app/echo.wasm"]})
    oci_images.push(host, TAR, "v1", wasm)
