"""One registry for a test process, and of each version one containerd with a zygote, started when first asked for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.support import images, programs
from tests.support.containerd import Containerd, containerd
from tests.support.registry import Registry, registry
from tests.support.zygote import Zygote, zygote


@pytest.fixture(scope="session")
def node_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """Holds everything of tests/support/images.py; nodes know it as `registry.test`."""
    folder = tmp_path_factory.mktemp("node-registry")
    with registry(folder) as server:
        images.fill(server.host, folder / "cache")
        yield server


class Nodes:
    """Containerds that run, by version."""

    def __init__(self, stack: ExitStack, host: str) -> None:
        self._stack, self._host = stack, host
        self._running: dict[str, Containerd] = {}
        self.zygotes: dict[str, Zygote] = {}

    def __getitem__(self, version: str) -> Containerd:
        if version not in self._running:
            origin = self.zygotes[version] = self._stack.enter_context(zygote())
            started = containerd(version, {images.HOST: self._host}, images.PAUSE, environment=origin.environment())
            node = self._running[version] = self._stack.enter_context(started)
            origin.start(
                node.settings.root / "io.containerd.content.v1.content", WHERRY_RUNC=str(programs.installed("runc"))
            )
            for name in (*images.NATIVE, *images.WASM, images.TAR):
                node.cri.pull(images.reference(name))
        return self._running[version]


@pytest.fixture(scope="session")
def nodes(node_registry: Registry) -> Iterator[Nodes]:
    with ExitStack() as stack:
        yield Nodes(stack, node_registry.host)


@pytest.fixture(params=programs.VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    """Of containerd."""
    return str(request.param)


@pytest.fixture
def node(nodes: Nodes, version: str) -> Iterator[Containerd]:
    """A containerd with every image pulled and no pod; a test that leaves anything on the machine fails."""
    running = nodes[version]
    yield running
    running.purge()
    running.wait_until_clean()


@pytest.fixture
def origin(nodes: Nodes, node: Containerd) -> Zygote:
    """The zygote of `node`."""
    return nodes.zygotes[node.version]
