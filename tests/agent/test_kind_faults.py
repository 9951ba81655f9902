"""Faults of a real node under the agent: no room, a containerd that does not start, no API server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.agent.cluster import AGENTS, Agents, app
from tests.agent.test_kind_agent import FIRST, TABLE, UNINSTALL, agents, before, restarts, serves, zygote

pytestmark = [pytest.mark.peer, pytest.mark.slow]

__all__ = ["agents", "before"]
FAULT = "/etc/systemd/system/containerd.service.d/fault.conf"
API = "/etc/kubernetes/manifests/kube-apiserver.yaml"


def failed(agents: Agents) -> bool:
    return "this version is not installed" in agents.log()


def test_no_room_on_the_disk_leaves_the_node_as_it_was(agents: Agents, before: set[str]) -> None:
    agents.node.exec("mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", "/opt")
    agents.start(FIRST)
    try:
        agents.until(lambda: failed(agents))
        assert "No space left on device" in agents.log()
        assert agents.label() == ""
        assert agents.node.exec("ls", "/opt") == ""
    finally:
        agents.node.exec("umount", "-l", "/opt")
    assert {line for line in agents.node.snapshot() ^ before if "/opt" not in line} == set()


def test_a_containerd_that_does_not_start_with_the_table_gets_its_files_back(agents: Agents, before: set[str]) -> None:
    with containerd_that_refuses_the_table(agents):
        agents.ask("delete", "pods", "-l", AGENTS, "--grace-period=0", "--force")
        agents.until(lambda: agents.pod() and failed(agents))
        assert "the node is as it was" in agents.log()
        agents.until(lambda: agents.node.exec("systemctl", "is-active", "containerd").strip() == "active", 60)
        assert agents.label() == ""
    assert agents.node.snapshot() ^ before == set()


@contextmanager
def containerd_that_refuses_the_table(agents: Agents) -> Iterator[None]:
    line = f"ExecStartPre=/bin/sh -c '! test -e {TABLE}'"
    agents.node.exec(
        "sh", "-c", f"mkdir -p {FAULT.rpartition('/')[0]} && printf '[Service]\\n%s\\n' \"{line}\" >{FAULT}"
    )
    agents.node.exec("systemctl", "daemon-reload")
    try:
        yield
    finally:
        agents.node.exec("rm", "-rf", FAULT.rpartition("/")[0])
        agents.node.exec("systemctl", "daemon-reload")


def test_when_the_fault_is_gone_the_node_is_installed_without_anybodys_help(agents: Agents) -> None:
    agents.until(lambda: agents.runs(FIRST))
    assert agents.label() == "ready"


def test_without_an_api_server_a_dead_zygote_is_still_helped(agents: Agents) -> None:
    agents.node.apply(app("stays", FIRST))
    agents.until(lambda: serves(agents, "stays"), 60)
    pod = restarts(agents, "stays")
    agents.node.exec("mv", API, "/tmp/held.yaml")
    try:
        agents.until(
            lambda: "kube-apiserver" not in agents.node.exec("sh", "-c", "cat /proc/[0-9]*/comm 2>/dev/null; true"), 90
        )
        agents.node.exec("systemctl", "disable", "--now", "wherry-zygote")
        agents.until(lambda: zygote(agents) != "", 120)
    finally:
        agents.node.exec("mv", "/tmp/held.yaml", API)
    agents.until(lambda: agents.runs(FIRST), 180)
    assert restarts(agents, "stays") == pod
    agents.node.kubectl("delete", "pod", "stays", "--timeout=60s")
    done, said = agents.hook(FIRST, UNINSTALL)
    assert done, said
