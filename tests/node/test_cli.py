"""`wherry-node` as a process, on a node whose root is mounted somewhere: what it says, and how it exits."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.node.configs import KIND
from tests.node.emptyroot import EmptyRoot, empty_root

WHERRY_NODE = Path(sys.executable).with_name("wherry-node")
CONFIG = "etc/containerd/config.toml"
CONTAINERD = """\
#!/bin/sh
# Reads the main file and the drop-in, as containerd 2 does, with a shell's own words alone.
show() { while IFS= read -r line; do case $line in version*) ;; *) printf '%s\\n' "$line" ;; esac; done <"$1"; }
case $* in
--version) echo 'containerd github.com/containerd/containerd/v2 v2.3.7 abc' ;;
*dump) show "$2"; [ ! -f /etc/containerd/conf.d/wherry.toml ] || show /etc/containerd/conf.d/wherry.toml ;;
esac
"""


@pytest.fixture
def node(tmp_path: Path) -> EmptyRoot:
    """Has a shell, and a containerd that only reads its configuration."""
    found = empty_root(tmp_path / "host")
    for path, text in ((CONFIG, KIND), ("usr/bin/containerd", CONTAINERD)):
        (found.path / path).parent.mkdir(parents=True, exist_ok=True)
        (found.path / path).write_text(text)
    (found.path / "usr/bin/containerd").chmod(0o755)
    (found.path / "opt").mkdir()
    return found


def wherry_node(node: EmptyRoot, *arguments: str, by_hand: bool = True) -> subprocess.CompletedProcess[str]:
    hand = ["--no-systemd"] if by_hand else []
    command = [str(WHERRY_NODE), *arguments, "--root", str(node.path), *hand]
    return subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)


def files(node: EmptyRoot) -> Iterator[tuple[str, bytes]]:
    for path in sorted(node.path.rglob("*")):
        yield str(path.relative_to(node.path)), path.read_bytes() if path.is_file() else b""


@pytest.mark.slow
def test_on_a_mounted_root_everything_is_put_there_and_taken_away_again(node: EmptyRoot) -> None:
    before = dict(files(node))
    done = wherry_node(node, "install")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == "looking at containerd's configuration"
    assert lines[-2].startswith("installed: ")
    assert lines[-1].startswith("now start `/opt/wherry/current/bin/python -P -m wherry_shim.zygote`")
    assert (node.path / "etc/containerd/conf.d/wherry.toml").exists()
    again = wherry_node(node, "install")
    assert again.stdout.splitlines()[-1].startswith("nothing to do: ")
    checked = wherry_node(node, "check", "--json")
    facts = json.loads(checked.stdout)
    assert checked.returncode == 1
    assert (facts["files"], facts["ok"]) == ("intact", False)
    assert facts["runtime"].startswith(f"{node.path}/run/containerd/containerd.sock: Status: ")
    removed = wherry_node(node, "uninstall", "--force")
    assert removed.returncode == 0
    assert dict(files(node)) == before


def test_a_node_without_systemd_is_told_what_to_do(node: EmptyRoot) -> None:
    done = wherry_node(node, "install", by_hand=False)
    assert done.returncode == 1
    assert done.stderr.startswith(
        "wherry-node: no systemd on this host (/run/systemd/system is not there)\n  try: give "
    )


def test_a_root_that_is_no_node_is_one_sentence(tmp_path: Path) -> None:
    if os.geteuid():
        pytest.skip("only root may change a node: run the tests as root")
    done = wherry_node(EmptyRoot(tmp_path), "check")
    assert done.returncode == 1
    assert "no containerd in /usr/local/bin" in done.stderr
    assert "Traceback" not in done.stderr


def test_two_at_once_are_one_too_many(node: EmptyRoot) -> None:
    prefix = node.path / "opt/wherry"
    prefix.mkdir(parents=True)
    descriptor = os.open(prefix, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        done = wherry_node(node, "uninstall", "--force")
    finally:
        os.close(descriptor)
    assert done.returncode == 1
    assert "another wherry-node is at work on this node" in done.stderr


def test_check_says_in_lines_what_it_says_in_json(node: EmptyRoot) -> None:
    lines = wherry_node(node, "check").stdout.splitlines()
    facts = json.loads(wherry_node(node, "check", "--json").stdout)
    assert [line.split()[1] for line in lines] == [name for name in facts if name != "ok"]
    assert lines[0] == "BAD  version     not installed"


@pytest.mark.parametrize("argument", ["--no-such-option", "fly"])
def test_wrong_usage_exits_with_2(argument: str) -> None:
    done = subprocess.run([WHERRY_NODE, argument], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "Try 'wherry-node --help'" in done.stderr.replace("-h'", "--help'")
