"""What holds for every test, however the tests were started and however busy the machine is."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.support import apiserver
from tests.support import control_plane as planes
from tests.support.apiserver import ApiServer
from tests.support.control_plane import ControlPlane
from tests.support.fake_node import FakeNode, fake_node
from tests.support.fault_proxy import FaultProxy, fault_proxy
from tests.support.registry import Registry, registry

settings.register_profile("wherry", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.load_profile("wherry")

# A shell starts background jobs with SIGINT ignored, which programs inherit: tests that interrupt would wait for ever.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """One for each process of tests, which keep to namespaces of their own."""
    if (folder := planes.programs()) is None:
        pytest.skip(f"no control plane here: {planes.ENABLE}")
    with planes.control_plane(tmp_path_factory.mktemp("plane"), folder) as running:
        yield running


@pytest.fixture(scope="session")
def node(control_plane: ControlPlane) -> Iterator[FakeNode]:
    """The one node of the control plane; its Pods are ready unless a test says otherwise."""
    with fake_node(control_plane.server) as running:
        yield running


@pytest.fixture
def namespace(control_plane: ControlPlane) -> str:
    """A new one."""
    return control_plane.new_namespace()


@pytest.fixture
def proxy(control_plane: ControlPlane) -> Iterator[FaultProxy]:
    """In front of the API server, without faults until the test plans some."""
    with fault_proxy(control_plane.server) as running:
        yield running


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """An API server that nobody works for, for those who ask what Kubernetes itself says."""
    if (folder := apiserver.programs()) is None:
        pytest.skip(f"no kube-apiserver here: {apiserver.ENABLE}")
    with apiserver.api_server(tmp_path_factory.mktemp("api"), folder, apiserver.NO_ACCOUNTS) as running:
        yield running


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry without TLS and logins. Tests use repositories of their own in it, as in the others."""
    with registry(tmp_path_factory.mktemp("plain")) as running:
        yield running


@pytest.fixture(scope="session")
def tls_password(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with registry(tmp_path_factory.mktemp("tls-password"), tls=True, password=True) as running:
        yield running


@pytest.fixture(scope="session")
def token(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """One that sends its clients to a token server."""
    with registry(tmp_path_factory.mktemp("token"), token=True) as running:
        yield running
