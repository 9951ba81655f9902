"""One real API server for the tests that ask what Kubernetes itself says of rendered objects."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.render.applied import RUNTIME_CLASSES, define_http_routes
from tests.support.apiserver import ENABLE, NO_ACCOUNTS, ApiServer, api_server, programs


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    if (folder := programs()) is None:
        pytest.skip(f"no kube-apiserver here: {ENABLE}")
    with api_server(tmp_path_factory.mktemp("api"), folder, NO_ACCOUNTS) as running:
        for name in RUNTIME_CLASSES:
            body = {"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": {"name": name}, "handler": name}
            assert running.ask("POST", "/apis/node.k8s.io/v1/runtimeclasses", body).status == 201
        define_http_routes(running)
        yield running
