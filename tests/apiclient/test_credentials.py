"""Who the operator is: a mounted token that is renewed, or a kubeconfig."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from tests.support.clients import AGENT, cluster_of
from tests.support.control_plane import ControlPlane
from wherry import __version__
from wherry.cluster.connection import connect
from wherry.cluster.credentials import InCluster, KubeConfig, find
from wherry.cluster.failures import Unauthenticated, Unreachable
from wherry.cluster.request import Request
from wherry.cluster.resources import CONFIG_MAP
from wherry.errors import InputError
from wherry_operator.manifest import Identity

IN_A_POD = {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443"}
LIST = Request(verb="list", resource=CONFIG_MAP, namespace="default")


@pytest.mark.parametrize(
    ("environ", "context", "found"),
    [
        pytest.param(IN_A_POD, "", InCluster("https://10.0.0.1:443"), id="in a pod"),
        pytest.param(
            IN_A_POD | {"KUBERNETES_SERVICE_HOST": "fd00::1"}, "", InCluster("https://[fd00::1]:443"), id="IPv6"
        ),
        pytest.param(IN_A_POD | {"KUBECONFIG": "/k"}, "", KubeConfig("/k"), id="named in a pod"),
        pytest.param({"KUBECONFIG": "/k"}, "staging", KubeConfig("/k", "staging"), id="a context"),
        pytest.param({}, "", KubeConfig(str(Path.home() / ".kube" / "config")), id="nothing named"),
    ],
)
def test_what_is_named_comes_first(environ: dict[str, str], context: str, found: InCluster | KubeConfig) -> None:
    assert find(environ, context) == found


def test_a_kubeconfig_that_is_not_there_is_told_with_its_path(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with cluster_of(tmp_path / "absent"):
            pass

    with pytest.raises(InputError, match="absent"):
        asyncio.run(scenario())


def test_a_pod_without_a_token_is_told_what_to_mount(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with connect(InCluster("https://10.0.0.1:443", tmp_path), AGENT):
            pass

    with pytest.raises(InputError, match="mount the service account's token"):
        asyncio.run(scenario())


@pytest.mark.peer
def test_a_context_that_is_not_in_the_kubeconfig_is_told(control_plane: ControlPlane) -> None:
    async def scenario() -> None:
        async with connect(KubeConfig(str(control_plane.kubeconfig()), "staging"), AGENT):
            pass

    with pytest.raises(InputError, match="staging"):
        asyncio.run(scenario())


@pytest.mark.peer
def test_a_token_that_the_kubelet_has_renewed_is_used_within_a_minute_and_a_refused_one_at_once(
    control_plane: ControlPlane, tmp_path: Path
) -> None:
    now, server = [0.0], control_plane.server
    (tmp_path / "ca.crt").write_bytes(server.certificate.read_bytes())
    (tmp_path / "token").write_text("expired")
    answers: list[int] = []

    async def scenario() -> None:
        account = InCluster(server.url, tmp_path, lambda: now[0])
        async with connect(account, AGENT, lambda _verb, _resource, status: answers.append(status)) as connection:
            (tmp_path / "token").write_text(server.token + "\n")
            await connection.ask(LIST)
            (tmp_path / "token").write_text("not read yet")
            now[0] += 59.0
            await connection.ask(LIST)
            (tmp_path / "token").write_text(server.token)
            now[0] += 2.0
            await connection.ask(LIST)

    asyncio.run(scenario())
    assert answers == [401, 200, 200, 200]


@pytest.mark.peer
def test_a_token_that_cannot_be_read_for_a_moment_fails_requests_and_not_the_program(
    control_plane: ControlPlane, tmp_path: Path
) -> None:
    now, server = [0.0], control_plane.server
    (tmp_path / "ca.crt").write_bytes(server.certificate.read_bytes())
    (tmp_path / "token").write_text(server.token)

    async def scenario() -> Any:
        async with connect(InCluster(server.url, tmp_path, lambda: now[0]), AGENT) as connection:
            (tmp_path / "token").rename(tmp_path / "away")
            now[0] += 61.0
            with pytest.raises(Unauthenticated, match="mount the service account's token"):
                await connection.ask(LIST)
            (tmp_path / "away").rename(tmp_path / "token")
            return await connection.ask(LIST)

    assert asyncio.run(scenario())["kind"] == "ConfigMapList"


@pytest.mark.peer
def test_a_program_tells_the_api_server_its_name_and_version(control_plane: ControlPlane) -> None:
    mark = control_plane.audit.mark()

    async def scenario() -> None:
        async with cluster_of(control_plane.kubeconfig()) as (_, cluster):
            await cluster.get(Identity("v1", "ConfigMap", "default", "absent"))

    asyncio.run(scenario())
    assert [each.agent for each in control_plane.asked(mark, agent=f"{AGENT}/")] == [f"{AGENT}/{__version__}"]


@pytest.mark.peer
@pytest.mark.parametrize(("direct", "arrives"), [("", False), ("127.0.0.1,localhost", True)])
def test_a_proxy_of_the_environment_is_used_but_where_the_environment_says_no(
    control_plane: ControlPlane, monkeypatch: pytest.MonkeyPatch, direct: str, arrives: bool
) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", direct)

    async def scenario() -> None:
        async with connect(KubeConfig(str(control_plane.kubeconfig())), AGENT) as connection:
            await connection.ask(LIST)

    with nullcontext() if arrives else pytest.raises(Unreachable, match=r"127\.0\.0\.1:1: "):
        asyncio.run(scenario())
