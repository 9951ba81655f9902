"""One cluster for all stories, a namespace for each."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.e2e.client import Client
from tests.e2e.cluster import Cluster, running
from tests.e2e.namespace import Namespace
from tests.e2e.private import private_registry

LONGEST = 50
"""Of a namespace's name."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What kills nodes comes last: some pod networks do not come back whole."""
    items.sort(key=lambda item: item.path.stem == "test_interruptions")


@pytest.fixture(scope="session")
def cluster() -> Cluster:
    return running()


@pytest.fixture
def namespace(cluster: Cluster, request: pytest.FixtureRequest) -> Iterator[Namespace]:
    """Named after its story, and gone with it: what a story that failed has to say, its failure says."""
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.removeprefix("test_"))[:LONGEST].strip("-")
    cluster.kubectl("delete", "namespace", name, "--ignore-not-found", "--wait")
    cluster.kubectl("create", "namespace", name)
    yield Namespace(cluster, name)
    cluster.kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture
def client(namespace: Namespace) -> Client:
    return Client(namespace)


@pytest.fixture(scope="module")
def private_host(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The host of a registry with a password."""
    with private_registry(cluster, tmp_path_factory.mktemp("registry")) as host:
        yield host
