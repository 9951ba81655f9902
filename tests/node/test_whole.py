"""The installed thing whole: the tree's own zygote, containerd's real pods, on both containerds."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support import images, programs
from tests.support.containerd import Containerd as Running
from tests.support.containerd import containerd
from tests.support.pods import until
from tests.support.registry import Registry
from wherry.errors import StartError
from wherry_shim.node import tree
from wherry_shim.node.check import check
from wherry_shim.node.containerd import Containerd
from wherry_shim.node.fault import NodeError
from wherry_shim.node.host import Host
from wherry_shim.node.install import install
from wherry_shim.node.kubernetes import PLAIN
from wherry_shim.node.manifest import Manifest
from wherry_shim.node.node import Node
from wherry_shim.node.prewarm import prewarm
from wherry_shim.node.probe import Probe
from wherry_shim.node.uninstall import uninstall

pytestmark = [pytest.mark.peer, pytest.mark.slow]

OWN_ROW = re.compile(r"\n\[plugins\.[^\n]*\.runtimes\.wherry[\].].*?(?=\n\[|\Z)", re.DOTALL)


@dataclass
class Services:
    """containerd of the tests, and a zygote that is a child of the test."""

    running: Running
    prefix: Path
    environment: dict[str, str]
    zygote: list[subprocess.Popen[bytes]] = field(default_factory=list)
    automatic: bool = True

    @property
    def files(self) -> dict[str, str]:
        return {}

    def restart_containerd(self) -> None:
        self.running.restart()

    def start_zygote(self) -> None:
        self.stop_zygote()
        command = [str(self.prefix / "current/bin/python"), "-P", "-m", "wherry_shim.zygote"]
        self.zygote.append(subprocess.Popen(command, env=self.environment, stdin=subprocess.DEVNULL))
        self.running.account(self.zygote[-1].pid)

    def stop_zygote(self) -> None:
        for process in self.zygote:
            process.terminate()
            process.wait()
        self.zygote.clear()

    def kill_leftovers(self) -> None:
        """containerd's rig does it when it stops."""

    def reload(self) -> None:
        """There are no files."""

    def aside(self, command: Sequence[str]) -> tuple[str, ...]:
        return tuple(command)

    def zygote_is_alive(self) -> bool:
        return any(process.poll() is None for process in self.zygote)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Manifest]:
    """One tree for all nodes of these tests."""
    root = tmp_path_factory.mktemp("tree")
    return root, tree.build(root, lambda listed: Path("/opt/wherry/versions") / listed.name)


@pytest.fixture
def state() -> Iterator[Path]:
    """Where sockets lie, whose paths are short by nature."""
    with tempfile.TemporaryDirectory(prefix="wherry-") as folder:
        yield Path(folder) / "run"


@pytest.fixture(params=programs.VERSIONS)
def node(request: pytest.FixtureRequest, node_registry: Registry, state: Path, tmp_path: Path) -> Iterator[Node]:
    version = str(request.param)
    environment = {"WHERRY_STATE": str(state), "WHERRY_CACHE": str(tmp_path / "cache")}
    with containerd(version, {images.HOST: node_registry.host}, images.PAUSE, environment=environment) as running:
        config = running.folder / "config.toml"
        config.write_text(OWN_ROW.sub("", config.read_text()))
        running.restart()
        running.cri.pull(images.PAUSE)
        running.cri.pull(images.reference("wasm-echo"))
        settings, program = running.settings, str(programs.containerd(version) / "containerd")
        kubernetes = type(PLAIN)(**{**vars(PLAIN), "socket": str(settings.socket), "config": str(config)})
        found = Containerd(Host(), kubernetes, program, str(config), "containerd.service", programs.numbers(version))
        zygote = {**environment, **found.zygote_environment(), "PATH": os.environ["PATH"]}
        services = Services(running, tmp_path / "opt", zygote)
        try:
            prefix, cache = str(tmp_path / "opt"), str(tmp_path / "cache")
            yield Node(Host(), found, services, prefix, cache=cache, state=str(state))
        finally:
            services.stop_zygote()


@pytest.fixture(autouse=True)
def _copied(built: tuple[Path, Manifest], monkeypatch: pytest.MonkeyPatch) -> None:
    def copy(root: Path, *_: object) -> Manifest:
        shutil.copytree(built[0], root, dirs_exist_ok=True)
        return built[1]

    monkeypatch.setattr(tree, "build", copy)


def test_a_pod_runs_on_what_was_installed_and_nothing_is_left_of_it(node: Node, tmp_path: Path) -> None:
    config = Path(node.containerd.config)
    before = config.read_bytes()
    assert node.cri.handlers() == {"runc"}
    assert install(node, Probe(images.reference("wasm-echo")).run).changed
    assert [finding for finding in check(node) if finding.good is False] == []
    (line,) = prewarm(node, [images.reference("wasm-echo")])
    assert "compiled" in line
    uninstall(node)
    assert config.read_bytes() == before
    assert node.cri.handlers() == {"runc"}
    assert {path.name for path in tmp_path.iterdir()} <= {"run"}
    until(lambda: not node.services.zygote_is_alive())


def test_code_is_made_ahead_of_an_image_that_has_to_be_pulled(node: Node) -> None:
    image = images.reference("wasm-types")
    with pytest.raises(StartError, match="wasm-types"):
        list(prewarm(node, [image]))
    (line,) = prewarm(node, [image], pull=True)
    assert f"{image}: 2 compiled" in line
    assert not node.cri.pull(image)
    with pytest.raises(NodeError, match=r"PullImage: .*absent"):
        list(prewarm(node, [images.reference("absent")], pull=True))


def test_a_pod_that_runs_keeps_the_node_installed_unless_it_is_forced(node: Node) -> None:
    install(node, None)
    with Probe().sandbox(node.cri):
        with pytest.raises(NodeError, match="1 Wasm pods run here: wherry/wherry-probe"):
            uninstall(node)
        assert node.services.zygote_is_alive()
        uninstall(node, force=True)
    assert node.cri.handlers() == {"runc"}


def test_a_probe_says_how_its_program_ended(node: Node) -> None:
    assert isinstance(node.services, Services)
    node.services.running.cri.pull(images.reference("hello"))
    Probe(images.reference("hello"), "/hello", "runc").run(node.cri)
    with pytest.raises(NodeError, match=r"StartContainer: .*/absent"):
        Probe(images.reference("hello"), "/absent", "runc").run(node.cri)
