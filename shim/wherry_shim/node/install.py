"""`wherry-node install`: every step is announced, and undone with all before it when it fails."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from wherry_shim.node import dump
from wherry_shim.node.changes import Moment
from wherry_shim.node.containerd import Edit
from wherry_shim.node.cri import Cri
from wherry_shim.node.fault import NodeError
from wherry_shim.node.node import Node
from wherry_shim.node.table import HANDLER

Probe = Callable[[Cri], None]
"""Lets a pod run, and raises NodeError when it does not."""


@dataclass(frozen=True)
class Installed:
    """name and size, in bytes, of the tree. changed: whether anything on the node was."""

    name: str
    size: int
    changed: bool


def install(node: Node, probe: Probe | None, *, proven: bool = False) -> Installed:
    """Put Wherry on the node, or a newer one over an older. Twice in a row changes nothing the second time.

    probe: must succeed before it counts. proven: it has, for what is there: only a change has to be probed.
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
    attempt = _Attempt(node, edits, set(dump.handlers(before)))
    try:
        return attempt.go(probe, proven=proven)
    except BaseException as fault:  # also when the pod that installs is stopped half way
        raise attempt.undone(fault) from None


class _Attempt:
    """What was done so far, and how it is taken back."""

    def __init__(self, node: Node, edits: list[Edit], handlers: set[str]) -> None:
        self.node, self.edits, self.handlers = node, edits, handlers
        self._trees, self._previous = node.placement.names(), node.placement.current
        folders = (node.host.at(node.state), node.host.at(node.cache))
        self._absent = [folder for folder in folders if not folder.exists()]
        self._had_zygote = node.services.zygote_is_alive()
        self._changed = self._restarted = False
        self._moment = Moment(node.host, [*node.services.files, *(edit.path for edit in edits), node.record])

    def go(self, probe: Probe | None, *, proven: bool) -> Installed:
        with self.node.step("building a tree of this Python and its libraries"):
            name, size = self.node.placement.place(lambda line: self.node.report(f"  {line}"))
        self._start(name)
        self._configure()
        if probe and (self._changed or not proven):
            with self.node.step("running a pod"):
                probe(self.node.cri)
        self.node.placement.prune({name, self._previous or name})
        return Installed(name, size, self._changed)

    def _start(self, name: str) -> None:
        node = self.node
        with node.step("starting the tree on this node"):
            node.placement.prove(name)
        fresh = [path for path, text in node.services.files.items() if node.containerd.read(path) != text]
        if self._previous == name and not fresh and self._had_zygote:
            return
        with node.step("starting the zygote"):
            self._changed = True
            for path in fresh:
                node.changes.write(path, node.services.files[path], lambda text: text)
            node.placement.switch(name)
            node.services.start_zygote()

    def _configure(self) -> None:
        node = self.node
        with node.step("adding the runtime to containerd's configuration"):
            pending = [edit for edit in self.edits if node.containerd.read(edit.path) != edit.text]
            node.containerd.apply(pending, node.changes)
            self._adopt()
        if pending or self._is_unknown():
            self._changed = self._restarted = True
            with node.step("restarting containerd"):
                node.services.restart_containerd()
        if node.services.automatic:
            with node.step("asking containerd for its runtimes"):
                node.handlers({*self.handlers, HANDLER})

    def _adopt(self) -> None:
        """Files that say what they are to say, but of which the record was lost. One without our part is not ours."""
        for edit in self.edits:
            if edit.whole or edit.cut(edit.text) != edit.text:
                self.node.changes.adopt(edit.path, _nothing if edit.whole else edit.cut)
        for path in self.node.services.files:
            self.node.changes.adopt(path, _nothing)

    def _is_unknown(self) -> bool:
        """Whether containerd runs without a table that it would read now: somebody put it back."""
        node = self.node
        return node.services.automatic and HANDLER not in node.handlers(self.handlers - {HANDLER})

    def undone(self, fault: BaseException) -> BaseException:
        """Take everything back. What to raise: the fault, and what could not be taken back."""
        self.node.report("that failed: everything is undone")
        problems = [said for undo in self._undo() if (said := _fault_of(undo))]
        if not isinstance(fault, NodeError):
            return fault
        end = "the node is as it was" if not problems else f"and not everything could be undone: {'; '.join(problems)}"
        return NodeError(f"{fault.message} ({end})", cure=fault.cure)

    def _undo(self) -> Iterator[Callable[[], object]]:
        node = self.node
        first = self._previous is None  # else pods may run that come from this unit
        if first:
            yield node.services.stop_zygote
            yield node.services.kill_leftovers
        yield self._moment.restore
        yield lambda: node.placement.switch(self._previous)
        yield node.services.reload if first else node.services.start_zygote
        if self._restarted:
            yield node.services.restart_containerd
        if self._restarted and node.services.automatic:
            yield lambda: node.handlers(self.handlers)
        yield lambda: node.placement.prune(self._trees)
        if not self._trees:
            yield node.placement.clear
        for folder in self._absent:
            yield partial(shutil.rmtree, folder, ignore_errors=True)


def _nothing(_: str) -> str:
    return ""


def _fault_of(undo: Callable[[], object]) -> str:
    try:
        undo()
    except NodeError as fault:
        return fault.message
    except OSError as error:
        return str(error)
    return ""
