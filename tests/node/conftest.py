"""One registry and one containerd of each version for a test process, started when they are first asked for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.support import images, programs
from tests.support.containerd import Containerd, containerd
from tests.support.registry import Registry, registry
from tests.support.zygote import Zygote


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

    def __getitem__(self, version: str) -> Containerd:
        if version not in self._running:
            started = containerd(version, {images.HOST: self._host}, images.PAUSE)
            node = self._running[version] = self._stack.enter_context(started)
            for name in (*images.NATIVE, *images.WASM, images.TAR, images.SHELL):
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
def origin(node: Containerd) -> Zygote:
    """The zygote of `node`, which runs. Its hosts end with their last pod: the next test waits for that."""
    node.start_zygote(WHERRY_LINGER="0")
    return node.zygote
