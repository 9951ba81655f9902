"""The plan of a guest on a node: its Pod's annotation, and what the kubelet and containerd gave the container.

Without an annotation, what the Pod has: its variables and volumes, and nothing that the cluster puts into every Pod.
"""

from __future__ import annotations

import json
import posixpath
from collections.abc import Callable, Mapping

from wherry.errors import StartError
from wherry.plan import annotation
from wherry.plan.annotation import PREFIX, Annotation, Http, planned
from wherry.plan.bundle import Bundle, termination_log
from wherry.plan.codec import MAX_ITEMS
from wherry.plan.model import DEFAULT_DRAIN, HTTP_TIMEOUT, Limits, Mount, RunPlan, WasmFile
from wherry.spec.collection import Listing, Plain
from wherry.spec.names import PORT
from wherry.spec.shape import Wrong
from wherry.wasm.module import Inspection

PORTS = "io.kubernetes.container.ports"
DEFAULT_PORT = 8080
_NOT_THE_PODS = frozenset({"PATH", "HOSTNAME", "TERM"})
_SERVICE_LINKS = "KUBERNETES_"
_FILES = frozenset({"/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/dev/shm"})  # noqa: S108 - a mount
_TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount"  # noqa: S105 - a path
_TOKEN_VOLUME = "/volumes/kubernetes.io~projected/kube-api-access-"  # noqa: S105 - a path
_IMAGE_VOLUMES = "/io.containerd.grpc.v1.cri/containers/"
_PORT_LIST = Listing(Plain((("containerPort", PORT),), required=("containerPort",)), most=MAX_ITEMS)


def from_bundle(bundle: Bundle, wasm: WasmFile, inspect: Callable[[], Inspection]) -> RunPlan:
    """wasm: the module that the container's image holds, found without the annotation and hashed.

    inspect: what that module says of itself; asked only without an annotation.
    Raises StartError: `artifact` when the annotation names another module, `plan`, `mount`.
    """
    _check_paths(bundle)
    if bundle.plan is None:
        known = _default(bundle, wasm, inspect())
        env, mounts = _environment(bundle), _volumes(bundle)
    else:
        known = annotation.parse(bundle.plan)
        check_names(known, wasm, f"annotation {PREFIX}{bundle.name}")
        env = {name: bundle.env[name] for name in known.env if name in bundle.env}  # an optional source gave nothing
        mounts = [_granted(bundle, index, path) for index, path in enumerate(known.mounts)]
    return planned(known, wasm.path, bundle.args[1:], env, mounts)


def check_names(known: Annotation, wasm: WasmFile, where: str) -> None:
    """The annotation must be of the module that the image holds. Raises StartError `artifact`."""
    if known.wasm != wasm.digest:
        raise StartError(
            "artifact",
            f"{where} names the Wasm {known.wasm}, the container's image holds {wasm.digest}",
            cure="let the image and the annotation be of one artifact",
        )


def _check_paths(bundle: Bundle) -> None:
    """A guest is given each path once: which of two volumes it means, nobody could tell."""
    paths = [posixpath.normpath(mount.guest) for mount in bundle.mounts]
    if twice := {path for path in paths if paths.count(path) > 1}:
        raise StartError(
            "mount",
            f"container {bundle.name}: got several mounts at {', '.join(sorted(twice))}, expected one",
            cure="give each volumeMount a mountPath of its own",
        )


def _granted(bundle: Bundle, index: int, path: str) -> Mount:
    if mount := bundle.mount(path):
        return Mount(mount.host, path, mount.readonly)
    raise StartError(
        "mount",
        f"annotation {PREFIX}{bundle.name}: plan.mounts[{index}]: got {path}, where the container has no volume",
        cure=f"add a volumeMount with mountPath: {path}, or leave the path out",
    )


def _default(bundle: Bundle, wasm: WasmFile, said: Inspection) -> Annotation:
    run = said.run or "command"  # a module without an entry is refused by the engine, which knows what it wants
    is_http = run == "http"
    return Annotation(
        v=1,
        run=run,
        wasm=wasm.digest,
        http=Http(port=_port(bundle), drain=DEFAULT_DRAIN) if is_http else None,
        limits=Limits(timeout=HTTP_TIMEOUT if is_http else None),
    )


def _environment(bundle: Bundle) -> Mapping[str, str]:
    return {
        name: value
        for name, value in bundle.env.items()
        if name not in _NOT_THE_PODS and not name.startswith(_SERVICE_LINKS)
    }


def _volumes(bundle: Bundle) -> list[Mount]:
    log = termination_log(bundle)
    return [
        mount
        for mount in bundle.mounts
        if posixpath.normpath(mount.guest) not in _FILES
        and mount.host != log
        and not _is_token(mount)
        and _IMAGE_VOLUMES not in mount.host
    ]


def _is_token(mount: Mount) -> bool:
    return f"{mount.guest}/".startswith(f"{_TOKEN}/") or _TOKEN_VOLUME in mount.host


def _port(bundle: Bundle) -> int:
    """The container's first TCP port."""
    try:
        ports = _PORT_LIST.read(json.loads(bundle.annotations.get(PORTS, "[]")), "ports")
    except Wrong as wrong:
        raise StartError("plan", f"annotation {PORTS}: {'; '.join(map(str, wrong.faults))}") from None
    except (ValueError, RecursionError) as error:
        raise StartError("plan", f"annotation {PORTS} is no JSON: {error}") from None
    tcp = [PORT.read(port["containerPort"], "") for port in ports if port.get("protocol", "TCP") == "TCP"]
    return tcp[0] if tcp else DEFAULT_PORT
