"""A bundle's config.json as containerd writes it for the kubelet: what of it concerns a plan, read once and typed.

OCI runtime-spec config.md. Annotations `io.kubernetes.cri.*` are containerd's own, `io.kubernetes.container.*` the
kubelet's, `plan.wherry.dev/*` the Pod's: whoever may create a Pod may write those.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from wherry.errors import FieldError, StartError
from wherry.plan.annotation import PREFIX
from wherry.plan.codec import MAX_ITEMS, WORD
from wherry.plan.document import MAX_TEXT
from wherry.plan.model import Mount
from wherry.spec.collection import Listing, Table, mapping
from wherry.spec.shape import Gather, Text, Wrong
from wherry.spec.wording import describe

CONTAINER_TYPE = "io.kubernetes.cri.container-type"
CONTAINER_NAME = "io.kubernetes.cri.container-name"
IMAGE_NAME = "io.kubernetes.cri.image-name"
TERMINATION_PATH = "io.kubernetes.container.terminationMessagePath"
_TERMINATION_LOG = "/dev/termination-log"
_READONLY = {"ro": True, "rro": True, "rw": False}
_ENCODABLE = r"[^\x00\ud800-\udfff]*"
_WORD = Text("a text without NUL", _ENCODABLE, most=MAX_TEXT)
_WORDS = Listing(_WORD, most=MAX_ITEMS)
_ANNOTATIONS = Table(_WORD, most=MAX_ITEMS)
_PATH = Text("an absolute path", f"/{_ENCODABLE}", most=4096)
_VARIABLE = re.compile(rf"[^=\x00\ud800-\udfff]+={_ENCODABLE}")

Role = Literal["sandbox", "wasm", "container"]
"""What a shim is asked to start: a Pod's sandbox, a guest of ours, or an ordinary container."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """One container. args: of the process, the program first. cwd: an absolute path.

    mounts: the bind mounts, in their order. host: on the node; guest: the destination as it was written.
    """

    annotations: Mapping[str, str]
    args: tuple[str, ...]
    env: Mapping[str, str]
    cwd: str
    mounts: tuple[Mount, ...]

    @property
    def name(self) -> str:
        """The container's name in its Pod; "" for what the kubelet did not ask for."""
        return self.annotations.get(CONTAINER_NAME, "")

    @property
    def image(self) -> str:
        """The image as the Pod names it (containerd 2.x), or as containerd does (1.7); "" where neither is told."""
        return self.annotations.get(IMAGE_NAME, "")

    @property
    def plan(self) -> str | None:
        """The text of the plan's annotation of this container."""
        return self.annotations.get(PREFIX + self.name)

    @property
    def program(self) -> str:
        """The process's first argument, "" without one."""
        return self.args[0] if self.args else ""

    def mount(self, destination: str) -> Mount | None:
        """The bind mount at a path; of several the last, which covers the others."""
        wanted = posixpath.normpath(destination)
        return next((mount for mount in reversed(self.mounts) if posixpath.normpath(mount.guest) == wanted), None)


def read(spec: object) -> Bundle:
    """spec: config.json, parsed. Raises StartError with the reason `plan` or `mount` and every wrong field."""
    gather, mounts = Gather(), Gather()
    with gather:
        top = mapping(spec, "config.json")
        process: Mapping[str, object] = {}
        with gather:
            process = mapping(top.get("process"), "process")
        with gather:
            annotations = _ANNOTATIONS.read(top.get("annotations") or {}, "annotations")
        with gather:
            args = _WORDS.read(process.get("args") or (), "process.args")
        with gather:
            env = _environment(process.get("env") or ())
        with gather:
            cwd = _PATH.read(process.get("cwd") or "/", "process.cwd")
        with mounts:
            binds = _mounts(top.get("mounts") or ())
    for reason, found in (("plan", gather), ("mount", mounts)):
        if found.faults:
            raise StartError(reason, "; ".join(f"config.json {fault}" for fault in found.faults))
    return Bundle(annotations, args, env, cwd, binds)


def role(bundle: Bundle, is_wasm_image: Callable[[], bool]) -> Role:
    """is_wasm_image: whether the container's image has a Wasm layout; asked only when nothing else tells."""
    return told_role(bundle) or ("wasm" if is_wasm_image() else "container")


def told_role(bundle: Bundle) -> Role | None:
    """As far as the configuration itself tells."""
    if bundle.annotations.get(CONTAINER_TYPE) == "sandbox":
        return "sandbox"
    return "wasm" if bundle.plan is not None or bundle.program.endswith(".wasm") else None


def termination_log(bundle: Bundle) -> str:
    """The node's file that the kubelet reads the termination message from; "" when there is none."""
    found = bundle.mount(bundle.annotations.get(TERMINATION_PATH) or _TERMINATION_LOG)
    return found.host if found else ""


def _environment(value: object) -> Mapping[str, str]:
    """Values stay out of errors: they may be secrets."""
    entries = Listing(WORD, most=MAX_ITEMS).read(value, "process.env")
    wrong = [index for index, entry in enumerate(entries) if not _VARIABLE.fullmatch(entry)]
    if wrong:
        raise Wrong(*(FieldError(f"process.env[{index}]", "another text", "NAME=value") for index in wrong))
    return {name: value for name, _, value in (entry.partition("=") for entry in entries)}


def _mounts(value: object) -> tuple[Mount, ...]:
    if not isinstance(value, list | tuple):
        raise Wrong(FieldError("mounts", describe(value), "a list"))
    gather = Gather()
    found: list[Mount] = []
    for index, each in enumerate(value):
        with gather:
            if mount := _bind(mapping(each, f"mounts[{index}]"), f"mounts[{index}]"):
                found.append(mount)
    gather.settle()
    return tuple(found)


def _bind(given: Mapping[str, object], at: str) -> Mount | None:
    """None for what is no file or folder of the node: proc, sysfs, tmpfs, …"""
    options = _WORDS.read(given.get("options") or (), f"{at}.options")
    if given.get("type") != "bind" and not {"bind", "rbind"}.intersection(options):
        return None
    source = _PATH.read(given.get("source"), f"{at}.source")
    destination = _PATH.read(given.get("destination"), f"{at}.destination")
    said = [_READONLY[option] for option in options if option in _READONLY]
    return Mount(source, destination, readonly=said[-1] if said else False)
