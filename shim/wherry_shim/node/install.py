"""`wherry-node install`: every step is announced, and undone with all before it when it fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from wherry_shim.node import dump
from wherry_shim.node.changes import Moment
from wherry_shim.node.containerd import Edit
from wherry_shim.node.fault import NodeError
from wherry_shim.node.node import Node
from wherry_shim.node.probe import Probe
from wherry_shim.node.table import HANDLER


@dataclass(frozen=True)
class Installed:
    """name and size, in bytes, of the tree. changed: whether anything on the node was."""

    name: str
    size: int
    changed: bool


def install(node: Node, probe: Probe | None) -> Installed:
    """Put Wherry on the node, or a newer one over an older. Twice in a row changes nothing the second time.

    probe: a pod that must run before it counts.
    Raises NodeError; the node is then as it was before, or the error says what is not.
    """
    with node.step("looking at containerd's configuration"):
        before = node.containerd.dump()
        if dump.cri_is_disabled(before):
            raise NodeError(
                f"{node.containerd.config} disables CRI, which the kubelet needs",
                cure="take cri out of disabled_plugins",
            )
        edits = node.containerd.edits(node.prefix)
    with node.step("building a tree of this Python and its libraries"):
        new = node.placement.names()
        name, size = node.placement.place(lambda line: node.report(f"  {line}"))
    attempt = _Attempt(node, edits, name, set(dump.handlers(before)))
    try:
        attempt.go(probe)
    except NodeError as fault:
        raise attempt.undone(fault, remove=name not in new) from None
    node.placement.prune({name, attempt.previous or name})
    return Installed(name, size, attempt.changed)


class _Attempt:
    """What was done so far, and how it is taken back."""

    def __init__(self, node: Node, edits: list[Edit], name: str, handlers: set[str]) -> None:
        self.node, self.edits, self.name, self.handlers = node, edits, name, handlers
        self.previous = node.placement.current
        self.changed = False
        self._restarted = False
        self._had_zygote = node.services.zygote_is_alive()
        files = [*node.services.files, *(edit.path for edit in edits), node.record]
        self._moment = Moment(node.host, files)

    def go(self, probe: Probe | None) -> None:
        node = self.node
        with node.step("starting the tree on this node"):
            node.placement.prove(self.name)
        with node.step("starting the zygote"):
            self._zygote()
        with node.step("adding the runtime to containerd's configuration"):
            pending = [edit for edit in self.edits if not _says(node, edit)]
            node.containerd.apply(pending, node.changes)
        if pending:
            self.changed = self._restarted = True
            with node.step("restarting containerd"):
                node.services.restart_containerd()
        if node.services.automatic:
            with node.step("asking containerd for its runtimes"):
                node.handlers({*self.handlers, HANDLER})
        if probe:
            with node.step("running a pod"):
                probe.run(node.cri)

    def _zygote(self) -> None:
        node = self.node
        fresh = [path for path, text in node.services.files.items() if node.containerd.read(path) != text]
        if self.previous == self.name and not fresh and self._had_zygote:
            return
        self.changed = True
        for path in fresh:
            node.changes.write(path, node.services.files[path], lambda text: text)
        node.placement.switch(self.name)
        node.services.start_zygote()

    def undone(self, fault: NodeError, *, remove: bool) -> NodeError:
        """Take everything back. What to raise: the fault, and what could not be taken back."""
        self.node.report("that failed: everything is undone")
        problems = [said for undo in self._undo(remove) if (said := _fault_of(undo))]
        end = "the node is as it was" if not problems else f"and not everything could be undone: {'; '.join(problems)}"
        return NodeError(f"{fault.message} ({end})", cure=fault.cure)

    def _undo(self, remove: bool) -> list[Callable[[], object]]:
        node = self.node
        again = self.previous is not None and self._had_zygote
        undos: list[Callable[[], object]] = [
            self._moment.restore,
            lambda: node.placement.switch(self.previous),
            node.services.start_zygote if again else node.services.stop_zygote,
        ]
        if self._restarted:
            undos.append(node.services.restart_containerd)
            if node.services.automatic:
                undos.append(lambda: node.handlers(self.handlers))
        if remove:
            undos.append(lambda: node.placement.remove(self.name))
        if self.previous is None:
            undos.append(node.placement.clear)
        return undos


def _says(node: Node, edit: Edit) -> bool:
    return node.containerd.read(edit.path) == edit.text


def _fault_of(undo: Callable[[], object]) -> str:
    try:
        undo()
    except NodeError as fault:
        return fault.message
    except OSError as error:
        return str(error)
    return ""
