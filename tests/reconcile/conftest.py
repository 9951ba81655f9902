"""A registry with artifacts, and operators on the control plane of all tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.artifacts import MODULE
from tests.support.control_plane import ControlPlane
from tests.support.fake_node import FakeNode
from tests.support.operators import Operator, operator, registries_of
from tests.support.places import Place
from tests.support.registry import Registry, registry
from wherry.oci.push import push

EXAMPLE = Path(__file__).parents[2] / "examples" / "01-hello" / "hello.wasm"


@pytest.fixture(scope="session")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry with demo/hello:v1, which serves http, and demo/hello:v2, a command."""
    with registry(tmp_path_factory.mktemp("registry")) as server:
        for tag, wasm in (("v1", EXAMPLE), ("v2", MODULE)):
            path = tmp_path_factory.mktemp("wasm") / "app.wasm"
            path.write_bytes(wasm if isinstance(wasm, bytes) else wasm.read_bytes())
            push(path, f"{server.host}/demo/hello:{tag}", server.access(path.parent / "cache"))
        yield server


@pytest.fixture
def place(control_plane: ControlPlane, node: FakeNode, namespace: str, artifacts: Registry) -> Place:
    """A new namespace, whose Pods find a node."""
    return Place(control_plane, namespace, artifacts.host)


@pytest.fixture
def operated(place: Place, artifacts: Registry, tmp_path: Path) -> Iterator[Operator]:
    """An operator of the place alone, as an administrator."""
    file = registries_of(artifacts, tmp_path)
    with operator(tmp_path, place.plane.kubeconfig(), place.namespace, registries=str(file)) as running:
        yield running
