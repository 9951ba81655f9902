"""Install, check and uninstall on a real containerd: what is promised is there, and undone when a step fails."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.node.daemon import Daemon, DaemonServices, daemon
from tests.support import programs
from wherry_shim.node import manifest
from wherry_shim.node.check import check
from wherry_shim.node.cri import Cri
from wherry_shim.node.fault import NodeError
from wherry_shim.node.host import Host
from wherry_shim.node.install import install
from wherry_shim.node.manifest import Manifest
from wherry_shim.node.node import Node
from wherry_shim.node.probe import Probe
from wherry_shim.node.table import LAUNCHER
from wherry_shim.node.uninstall import uninstall

pytestmark = [pytest.mark.peer, pytest.mark.slow]


class Tree:
    """Stands for the tree, which has its own tests: quick to build, and different for each content."""

    content = "first"
    starts = True

    def build(self, root: Path, final: Callable[[Manifest], Path], report: Callable[[str], None]) -> Manifest:
        report(f"building {final(Manifest('1', {}, 0)).name}")
        (root / "bin").mkdir()
        for name in ("python", LAUNCHER):
            (root / "bin" / name).write_text(f"#!/bin/sh\n# {self.content}\nexit {0 if self.starts else 1}\n")
            (root / "bin" / name).chmod(0o755)
        listed = manifest.take(root, "1")
        (root / manifest.FILE).write_text(listed.json())
        return listed


class Rig:
    """A node in a folder, on this machine's own root."""

    def __init__(self, running: Daemon, folder: Path, tree: Tree) -> None:
        self.daemon, self.folder, self.tree = running, folder, tree
        self.services = DaemonServices(running, str(folder / "units" / "wherry-zygote.service"))
        self.said: list[str] = []
        self._prefix, self._cache, self._state = (str(folder / name) for name in ("opt", "cache", "run"))

    @property
    def node(self) -> Node:
        """Anew for each command, as a process would."""
        found = self.daemon.containerd()
        places = {"prefix": self._prefix, "cache": self._cache, "state": self._state}
        return Node(Host(), found, self.services, report=self.said.append, patience=3.0, **places)

    def handlers(self) -> set[str]:
        return self.daemon.cri.handlers()

    def snapshot(self) -> dict[str, tuple[bytes, int, int]]:
        """Everything that an installer may touch: bytes, mode and time of each file."""
        places = [self.daemon.config.parent, *map(Path, (self._prefix, self._cache, self._state, self.services.unit))]
        files = [path for place in places for path in (place, *place.rglob("*")) if path.is_file()]
        return {str(path): (path.read_bytes(), path.stat().st_mode, path.stat().st_mtime_ns) for path in files}


@pytest.fixture(params=programs.VERSIONS)
def rig(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    tree = Tree()
    monkeypatch.setattr("wherry_shim.node.tree.build", tree.build)
    with daemon(request.param, tmp_path / "d") as running:
        os.utime(running.config, ns=(1_000_000_001, 2_000_000_002))
        yield Rig(running, tmp_path, tree)


def test_what_is_installed_is_known_to_containerd_and_uninstall_restores_every_byte(rig: Rig) -> None:
    before = rig.snapshot()
    done = install(rig.node, None)
    assert done.changed
    assert rig.handlers() == {"runc", "wherry"}
    assert rig.node.placement.current == done.name
    assert (rig.folder / "opt/current/bin" / LAUNCHER).exists()
    assert [finding for finding in check(rig.node) if finding.good is False] == []
    uninstall(rig.node)
    assert rig.snapshot() == before
    assert rig.handlers() == {"runc"}
    assert not (rig.folder / "opt").exists()


def test_a_second_installation_changes_nothing_and_restarts_nothing(rig: Rig) -> None:
    install(rig.node, None)
    before, calls = rig.snapshot(), len(rig.services.calls)
    assert not install(rig.node, None).changed
    assert rig.snapshot() == before
    assert len(rig.services.calls) == calls


def test_an_upgrade_takes_the_new_tree_and_leaves_containerd_alone(rig: Rig) -> None:
    before = rig.snapshot()
    first = install(rig.node, None)
    rig.services.calls.clear()
    rig.tree.content = "second"
    second = install(rig.node, None)
    assert second.changed
    assert rig.services.calls == ["zygote"]
    assert rig.node.placement.names() == {first.name, second.name}
    rig.tree.content = "third"
    third = install(rig.node, None)
    assert rig.node.placement.names() == {second.name, third.name}
    uninstall(rig.node)
    assert rig.snapshot() == before


def refuse() -> None:
    raise NodeError("it does not start")


def test_a_zygote_that_does_not_start_leaves_the_node_as_it_was(rig: Rig) -> None:
    before = rig.snapshot()
    rig.services.faults["zygote"] = refuse
    with pytest.raises(NodeError, match=r"starting the zygote: it does not start \(the node is as it was\)"):
        install(rig.node, None)
    assert rig.snapshot() == before
    assert rig.services.calls == ["zygote"]


def test_an_installation_that_is_stopped_half_way_leaves_the_node_as_it_was(rig: Rig) -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    before = rig.snapshot()
    rig.services.faults["containerd"] = stop
    with pytest.raises(KeyboardInterrupt):
        install(rig.node, None)
    assert rig.snapshot() == before
    assert rig.handlers() == {"runc"}


def test_a_tree_that_does_not_start_leaves_the_node_as_it_was(rig: Rig) -> None:
    before = rig.snapshot()
    rig.tree.starts = False
    with pytest.raises(NodeError, match=r"starting the tree on this node: .* failed: status 1"):
        install(rig.node, None)
    assert rig.snapshot() == before
    assert rig.services.calls == []


def test_a_containerd_that_does_not_restart_gets_its_configuration_back(rig: Rig) -> None:
    before = rig.snapshot()
    rig.services.faults["containerd"] = refuse
    with pytest.raises(NodeError, match=r"restarting containerd: it does not start \(the node is as it was\)"):
        install(rig.node, None)
    assert rig.snapshot() == before
    assert rig.handlers() == {"runc"}
    assert not rig.services.zygote


def test_a_containerd_that_comes_back_without_the_runtime_is_put_back(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = rig.snapshot()
    monkeypatch.setattr(rig.services, "restart_containerd", lambda: None)
    with pytest.raises(NodeError, match=r"asking containerd .* without the runtimes wherry"):
        install(rig.node, None)
    assert rig.snapshot() == before


def test_a_probe_that_fails_undoes_everything(rig: Rig) -> None:
    before = rig.snapshot()
    with pytest.raises(NodeError, match=r"running a pod: .*RunPodSandbox: .*\(the node is as it was\)"):
        install(rig.node, Probe().run)
    assert rig.snapshot() == before
    assert rig.handlers() == {"runc"}
    assert rig.said[-1] == "that failed: everything is undone"


def test_an_upgrade_that_fails_leaves_the_old_version_working(rig: Rig) -> None:
    first = install(rig.node, None)
    before = rig.snapshot()
    rig.tree.content = "second"
    rig.services.faults["zygote"] = refuse
    with pytest.raises(NodeError, match="starting the zygote"):
        install(rig.node, None)
    assert rig.snapshot() == before
    assert rig.node.placement.current == first.name
    assert rig.services.zygote
    assert rig.handlers() == {"runc", "wherry"}


def test_what_could_not_be_undone_is_said(rig: Rig) -> None:
    def broken() -> None:
        rig.services.faults["containerd"] = refuse
        refuse()

    rig.services.faults["containerd"] = broken
    with pytest.raises(NodeError, match="not everything could be undone: it does not start"):
        install(rig.node, None)


def test_a_repair_that_fails_ends_no_pod_and_leaves_the_version_in_use(rig: Rig) -> None:
    """The rig refuses to kill what is left of a zygote that runs."""
    first = install(rig.node, None)
    rig.services.zygote = False
    with pytest.raises(NodeError, match="running a pod"):
        install(rig.node, Probe().run)
    assert rig.node.placement.current == first.name
    assert rig.services.zygote


def test_what_was_proven_is_probed_again_only_when_something_changed(rig: Rig) -> None:
    probed: list[Cri] = []
    install(rig.node, probed.append)
    install(rig.node, probed.append, proven=True)
    assert len(probed) == 1
    install(rig.node, probed.append)
    rig.services.zygote = False
    install(rig.node, probed.append, proven=True)
    assert len(probed) == 3


def test_a_table_that_containerd_has_not_read_is_read(rig: Rig) -> None:
    install(rig.node, None)
    edit = rig.node.containerd.edits(str(rig.folder / "opt"))[0]
    file, kept = Path(edit.path), Path(edit.path).read_bytes()
    file.write_text(edit.cut(edit.text) if file == rig.daemon.config else "")
    rig.daemon.restart()
    file.write_bytes(kept)
    assert rig.handlers() == {"runc"}
    assert install(rig.node, None).changed
    assert rig.handlers() == {"runc", "wherry"}


def test_a_record_that_was_lost_with_the_prefix_does_not_keep_files_from_going_back(rig: Rig) -> None:
    before = {path: data for path, (data, *_) in rig.snapshot().items()}
    install(rig.node, None)
    shutil.rmtree(rig.folder / "opt")
    install(rig.node, None)
    uninstall(rig.node)
    assert {path: data for path, (data, *_) in rig.snapshot().items()} == before


def test_containerd_starts_without_a_table_that_was_deleted_and_gets_it_back(rig: Rig) -> None:
    install(rig.node, None)
    for edit in rig.node.containerd.edits(str(rig.folder / "opt")):
        if edit.whole:
            Path(edit.path).unlink()
    rig.daemon.restart()
    install(rig.node, None)
    assert rig.handlers() == {"runc", "wherry"}


def test_a_file_that_needed_no_change_is_never_ours(rig: Rig) -> None:
    """containerd 2 finds the drop-in by an import of the administrator's."""
    config = rig.daemon.config
    if programs.numbers(rig.daemon.version) >= (2, 0):
        config.write_text(f'imports = ["{config.parent}/conf.d/*.toml"]\n{config.read_text()}')
    before = config.read_bytes()
    install(rig.node, None)
    assert (str(config) in rig.node.changes.paths()) == (programs.numbers(rig.daemon.version) < (2, 0))
    shutil.rmtree(rig.folder / "opt")
    install(rig.node, None)
    uninstall(rig.node)
    assert config.read_bytes() == before


def test_another_handler_of_our_name_is_refused_before_anything_is_done(rig: Rig) -> None:
    table = '[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.wherry]\nruntime_type = "x"\n'
    rig.daemon.config.write_text(rig.daemon.config.read_text() + table)
    before = rig.snapshot()
    with pytest.raises(NodeError, match="is there with other options"):
        install(rig.node, None)
    assert rig.snapshot() == before
    assert rig.services.calls == []


def test_a_containerd_without_cri_is_refused(rig: Rig) -> None:
    text = rig.daemon.config.read_text().replace(
        "disabled_plugins = [", 'disabled_plugins = ["io.containerd.grpc.v1.cri", '
    )
    rig.daemon.config.write_text(text)
    with pytest.raises(NodeError, match="disables CRI"):
        install(rig.node, None)


def test_an_edit_of_an_administrator_outlives_uninstall(rig: Rig) -> None:
    install(rig.node, None)
    later = '[debug]\n  level = "info"\n'
    rig.daemon.config.write_text(rig.daemon.config.read_text() + later)
    assert [finding.name for finding in check(rig.node)].count("edited") == 1
    original = rig.node.changes
    uninstall(rig.node)
    text = rig.daemon.config.read_text()
    assert text.endswith(later)
    assert "wherry" not in text
    assert original.paths() == []


def test_check_names_what_is_wrong(rig: Rig) -> None:
    assert {finding.name for finding in check(rig.node) if finding.good is False} == {"version", "zygote", "runtime"}
    install(rig.node, None)
    (rig.folder / "opt/current/bin" / LAUNCHER).write_text("changed")
    rig.services.zygote = False
    wrong = {finding.name: finding.value for finding in check(rig.node) if finding.good is False}
    assert wrong == {"files": f"1 changed: bin/{LAUNCHER}", "zygote": "not running"}


def test_a_damaged_tree_is_mended_by_installing_again(rig: Rig) -> None:
    install(rig.node, None)
    (rig.folder / "opt/current/bin" / LAUNCHER).write_text("changed")
    install(rig.node, None)
    assert [finding for finding in check(rig.node) if finding.good is False] == []


def test_what_a_killed_installer_left_half_built_is_removed_by_the_next(rig: Rig) -> None:
    left = rig.folder / "opt" / "versions" / ".new-killed"
    left.mkdir(parents=True)
    (left / "python").touch()
    install(rig.node, None)
    assert not left.exists()


def test_the_cache_goes_with_the_rest_unless_it_is_to_stay(rig: Rig) -> None:
    cached = rig.folder / "cache/aot/code"
    for keep in (True, False):
        cached.parent.mkdir(parents=True, exist_ok=True)
        cached.touch()
        install(rig.node, None)
        uninstall(rig.node, keep_cache=keep)
        assert cached.exists() == keep


def test_uninstalling_what_is_not_there_changes_nothing(rig: Rig) -> None:
    before = rig.snapshot()
    uninstall(rig.node)
    assert rig.snapshot() == before
    assert rig.services.calls == []


def test_a_silent_containerd_needs_force(rig: Rig) -> None:
    before = rig.snapshot()
    install(rig.node, None)
    rig.daemon.stop()
    with pytest.raises(NodeError, match="not known whether Wasm pods run"):
        uninstall(rig.node)
    uninstall(rig.node, force=True)
    assert rig.snapshot() == before
    assert rig.handlers() == {"runc"}
