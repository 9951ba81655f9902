"""Parts of the rig that need no containerd: what they read and write."""

from __future__ import annotations

import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.node.churn import Census, differences
from tests.support import cni, programs
from tests.support.containerd_config import Handler, Settings, wherry
from tests.support.cri_logs import Line, parse


def test_partial_records_are_joined_by_stream_and_an_unfinished_one_waits() -> None:
    text = "t1 stdout P one \nt2 stderr F other\nt3 stdout F line\nt4 stdout F half"
    assert parse(text) == [Line("t2", "stderr", "other"), Line("t3", "stdout", "one line")]


def test_what_a_container_said_before_it_ended_without_a_newline_is_a_line() -> None:
    assert parse("t1 stdout P tail\n") == [Line("", "stdout", "tail")]


def test_the_configuration_is_toml_with_the_contracts_own_table_for_wherry() -> None:
    settings = Settings(Path("/node"), Path("/cni"), "registry.test/pause:v1", [Handler("runc"), wherry()])
    runtimes = tomllib.loads(settings.toml())["plugins"]["io.containerd.grpc.v1.cri"]["containerd"]["runtimes"]
    assert runtimes["wherry"] == {
        "runtime_type": "io.containerd.wherry.v1",
        "pod_annotations": ["plan.wherry.dev/*"],
        "container_annotations": ["io.kubernetes.container.*"],
        "options": {},
    }


def test_two_networks_at_a_time_are_two() -> None:
    with cni.network() as one, cni.network() as other:
        assert cni.subnet(one) != cni.subnet(other)


@pytest.mark.peer
def test_rules_of_a_run_that_was_killed_are_removed() -> None:
    programs.root()
    iptables = [str(programs.installed("iptables")), "--wait", "-t", "nat"]
    with cni.network() as number:
        comment = f'dnat name: "{cni.name(number)}" id: "x"'
        chain = f"CNI-DN-{number}"
        subprocess.run([*iptables, "-N", chain], check=True)
        rule = ["PREROUTING", "-p", "tcp", "-m", "comment", "--comment", comment, "--dport", "1", "-j", chain]
        subprocess.run([*iptables, "-A", *rule], check=True)
        assert len(cni.rules(number)) == 1
        cni.forget_rules(number)
        assert cni.rules(number) == []
        assert subprocess.run([*iptables, "-L", chain], capture_output=True, check=False).returncode == 1


def test_everything_that_grew_is_a_difference() -> None:
    before = Census(frozenset({"mount /a"}), {"1 shim": 10}, {"1 shim": 5000}, 30)
    after = Census(frozenset({"mount /a", "link veth1"}), {"1 shim": 11}, {"1 shim": 9000}, 31)
    assert differences(before, before) == []
    assert differences(before, after) == [
        "left: link veth1",
        "descriptors of 1 shim: 11, were 10",
        "memory of 1 shim: 9000 KiB, was 5000",
        "files: 31, were 30",
    ]
