"""One real API server for the tests that ask what Kubernetes itself says."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.apiserver import ENABLE, NO_ACCOUNTS, ApiServer, api_server, programs


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    if (folder := programs()) is None:
        pytest.skip(f"no kube-apiserver here: {ENABLE}")
    with api_server(tmp_path_factory.mktemp("api"), folder, NO_ACCOUNTS) as running:
        yield running
