"""What can be seen of an installation without asking anybody: real files below a root."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from wherry_agent.installation import Installation
from wherry_shim.node.changes import Changes
from wherry_shim.node.host import Host
from wherry_shim.node.placement import Placement

TABLE = "/etc/containerd/conf.d/wherry.toml"


@pytest.fixture
def host(tmp_path: Path) -> Host:
    """With a tree in use and one changed file."""
    host = Host(tmp_path)
    placement = Placement(host, "/opt/wherry")
    for name in ("first", "second"):
        (placement.root(name) / "bin").mkdir(parents=True)
        (placement.root(name) / "manifest.json").write_text(name)
    placement.switch("first")
    Changes(host, "/opt/wherry/changes.json").write(TABLE, "[table]\n", lambda text: text)
    return host


def installation(host: Host) -> Installation:
    return Installation(host, "/opt/wherry", "/run/wherry")


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda host: host.at(TABLE).unlink(), id="the table goes"),
        pytest.param(lambda host: host.at(TABLE).write_text("[other]\n"), id="the table is edited"),
        pytest.param(lambda host: host.at("/opt/wherry/changes.json").unlink(), id="the record goes"),
        pytest.param(lambda host: Placement(host, "/opt/wherry").switch("second"), id="another tree is in use"),
        pytest.param(lambda host: Placement(host, "/opt/wherry").switch(None), id="no tree is in use"),
        pytest.param(lambda host: host.at("/opt/wherry/versions/first/manifest.json").unlink(), id="the tree is cut"),
    ],
)
def test_what_somebody_changes_is_seen(host: Host, change: Callable[[Host], object]) -> None:
    before = installation(host).signature()
    assert installation(host).signature() == before
    change(host)
    assert installation(host).signature() != before


def test_a_record_that_cannot_be_read_is_a_change_and_no_fault(host: Host) -> None:
    before = installation(host).signature()
    host.at("/opt/wherry/changes.json").write_text("{")
    assert installation(host).signature() != before


def test_the_tree_in_use_is_named(host: Host, tmp_path: Path) -> None:
    assert installation(host).current == "first"
    (tmp_path / "empty").mkdir()
    assert installation(Host(tmp_path / "empty")).current == ""


def test_a_zygote_is_known_by_its_pid_and_its_name(host: Host) -> None:
    assert not installation(host).zygote_is_alive()
    host.at("/run/wherry").mkdir(parents=True)
    host.at("/run/wherry/zygote.pid").write_text(f"{os.getpid()}\n")
    assert not installation(host).zygote_is_alive()
    comm = host.at(f"/proc/{os.getpid()}/comm")
    comm.parent.mkdir(parents=True)
    comm.write_text("wherry-zygote\n")
    assert installation(host).zygote_is_alive()
    comm.write_text("somebody-else\n")
    assert not installation(host).zygote_is_alive()


def test_a_silent_containerd_is_not_thought_to_have_forgotten(host: Host) -> None:
    assert installation(host).runtime_is_known()
