"""`wherry-node uninstall`: the node as it was before the first installation, byte for byte."""

from __future__ import annotations

import shutil

from wherry_shim.node import dump
from wherry_shim.node.fault import NodeError
from wherry_shim.node.node import Node
from wherry_shim.node.table import HANDLER


def uninstall(node: Node, *, force: bool = False, keep_cache: bool = False) -> None:
    """Take Wherry off the node. force: end Wasm pods that run.

    Raises NodeError: before anything is changed when pods run, else with the step that failed. It may be run again.
    """
    with node.step("looking for Wasm pods"):
        _no_pods(node, force=force)
    with node.step("taking the runtime out of containerd's configuration"):
        changed = [path for path in node.changes.paths() if path not in node.services.files]
        for path in reversed(changed):
            node.changes.undo(path, node.containerd.cut(path))
        remaining = set(dump.handlers(node.containerd.dump()))
    if changed:
        with node.step("restarting containerd"):
            node.services.restart_containerd()
            if node.services.automatic:
                node.handlers(remaining)
    with node.step("stopping the zygote"):
        node.services.stop_zygote()
        node.services.kill_leftovers()
        for path in node.changes.paths():
            node.changes.undo(path, lambda text: text)
        node.services.reload()
    with node.step("removing files"):
        node.placement.clear()
        for folder in (node.state, *([] if keep_cache else [node.cache])):
            shutil.rmtree(node.host.at(folder), ignore_errors=True)


def _no_pods(node: Node, *, force: bool) -> None:
    try:
        pods = list(node.cri.sandboxes(HANDLER))
    except NodeError as fault:
        if force:
            return
        cure = "start containerd, or give --force"
        raise NodeError(f"it is not known whether Wasm pods run: {fault.message}", cure=cure) from None
    if pods and not force:
        names = [f"{pod.metadata.namespace}/{pod.metadata.name}" for pod in pods]
        first = ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
        raise NodeError(f"{len(pods)} Wasm pods run here: {first}", cure="drain the node first, or give --force")
    for pod in pods:
        node.report(f"  ending {pod.metadata.namespace}/{pod.metadata.name}")
        node.cri.stop(pod.id)
        node.cri.remove(pod.id)
