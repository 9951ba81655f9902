"""What was changed on a node can be undone to the last byte, and what others changed since is theirs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from wherry_shim.node.changes import Changes, Moment
from wherry_shim.node.fault import NodeError
from wherry_shim.node.host import Host

MAIN = "/etc/containerd/config.toml"
NEW = "/etc/containerd/conf.d/new/wherry.toml"
RECORD = "/opt/wherry/changes.json"
OURS = "ours\n"


def cut(text: str) -> str:
    return text.replace(OURS, "")


@pytest.fixture
def host(tmp_path: Path) -> Host:
    file = tmp_path / MAIN[1:]
    file.parent.mkdir(parents=True)
    file.write_bytes(b"theirs\r\nno end")
    file.chmod(0o640)
    os.utime(file, ns=(1_000_000_001, 2_000_000_002))
    return Host(tmp_path)


def changes(host: Host) -> Changes:
    return Changes(host, RECORD)


def facts(host: Host, path: str) -> tuple[bytes, int, int, int, int]:
    file = host.at(path)
    found = file.stat()
    return file.read_bytes(), found.st_mode, found.st_uid, found.st_gid, found.st_mtime_ns


def tree(host: Host) -> set[str]:
    return {str(path.relative_to(host.root)) for path in host.root.rglob("*")}


def test_a_file_gets_back_its_bytes_mode_owner_and_time(host: Host) -> None:
    if os.geteuid() == 0:
        os.chown(host.at(MAIN), 12, 34)
        os.utime(host.at(MAIN), ns=(1_000_000_001, 2_000_000_002))
    before = facts(host, MAIN)
    changes(host).write(MAIN, "theirs\r\n" + OURS, cut)
    assert host.at(MAIN).read_bytes() == b"theirs\r\nours\n"
    assert facts(host, MAIN)[1:4] == before[1:4]
    changes(host).undo(MAIN, cut)
    assert facts(host, MAIN) == before


def test_a_new_file_goes_with_the_folders_that_were_made_for_it(host: Host) -> None:
    before = tree(host)
    changes(host).write(NEW, OURS, cut)
    assert host.at(NEW).read_text() == OURS
    changes(host).undo(NEW, cut)
    assert tree(host) - before == {"opt", "opt/wherry"}


def test_a_folder_that_others_use_by_now_stays(host: Host) -> None:
    changes(host).write(NEW, OURS, cut)
    theirs = host.at("/etc/containerd/conf.d/other.toml")
    theirs.touch()
    changes(host).undo(NEW, cut)
    assert theirs.exists()
    assert not host.at("/etc/containerd/conf.d/new").exists()


def test_writing_twice_remembers_what_was_there_first(host: Host) -> None:
    before = facts(host, MAIN)
    changes(host).write(MAIN, OURS, cut)
    changes(host).write(MAIN, "newer\n", cut)
    changes(host).undo(MAIN, cut)
    assert facts(host, MAIN) == before


def test_an_edit_after_ours_stays_and_only_ours_goes(host: Host) -> None:
    changes(host).write(MAIN, "theirs\n" + OURS, cut)
    host.at(MAIN).write_text("theirs\n" + OURS + "later\n")
    assert not changes(host).unchanged_by_others(MAIN)
    changes(host).undo(MAIN, cut)
    assert host.at(MAIN).read_text() == "theirs\nlater\n"


def test_an_edit_between_two_of_ours_is_kept_by_undoing_both(host: Host) -> None:
    changes(host).write(MAIN, "theirs\n" + OURS, cut)
    host.at(MAIN).write_text("theirs\n" + OURS + "later\n")
    changes(host).write(MAIN, "theirs\nlater\nours again\n", cut)
    changes(host).undo(MAIN, cut)
    assert host.at(MAIN).read_text() == "theirs\nlater\n"


def test_a_file_that_somebody_removed_stays_removed(host: Host) -> None:
    changes(host).write(MAIN, OURS, cut)
    host.at(MAIN).unlink()
    changes(host).undo(MAIN, cut)
    assert not host.at(MAIN).exists()


def test_undoing_everything_leaves_no_record(host: Host) -> None:
    changes(host).write(MAIN, OURS, cut)
    changes(host).write(NEW, OURS, cut)
    assert changes(host).paths() == [MAIN, NEW]
    for path in changes(host).paths():
        changes(host).undo(path, cut)
    assert not host.at(RECORD).exists()


@pytest.mark.parametrize("record", ["", "[]", '{"/etc/a": {}}', '{"/etc/a": 1}'])
def test_a_record_that_is_damaged_is_one_error(host: Host, record: str) -> None:
    host.at(RECORD).parent.mkdir(parents=True)
    host.at(RECORD).write_text(record)
    with pytest.raises(NodeError, match=f"{RECORD} cannot be read"):
        changes(host).write(MAIN, OURS, cut)


def test_a_file_that_says_it_already_is_not_ours_to_undo(host: Host) -> None:
    host.at(MAIN).write_text(OURS)
    changes(host).write(MAIN, OURS, cut)
    assert changes(host).paths() == []


def test_a_moment_brings_files_back_as_they_were_half_way(host: Host) -> None:
    changes(host).write(MAIN, "first\n", cut)
    before, there = facts(host, MAIN), tree(host)
    moment = Moment(host, [MAIN, NEW, RECORD])
    changes(host).write(MAIN, "second\n", cut)
    changes(host).write(NEW, OURS, cut)
    moment.restore()
    assert facts(host, MAIN) == before
    assert tree(host) == there
    assert changes(host).paths() == [MAIN]


def test_labels_of_the_file_system_come_back(host: Host) -> None:
    try:
        os.setxattr(host.at(MAIN), "user.label", b"seen")
    except OSError:
        pytest.skip("this file system has no extended attributes: set TMPDIR to one that has")
    changes(host).write(MAIN, OURS, cut)
    assert os.getxattr(host.at(MAIN), "user.label") == b"seen"
    changes(host).undo(MAIN, cut)
    assert os.getxattr(host.at(MAIN), "user.label") == b"seen"


@pytest.mark.parametrize(
    ("link", "target", "asked", "found"),
    [
        ("etc/containerd", "/srv/conf", "/etc/containerd/a", "srv/conf/a"),
        ("etc/containerd", "../srv/conf", "/etc/containerd/a", "srv/conf/a"),
        ("etc/containerd", "../../../srv/conf", "/etc/containerd/a", "srv/conf/a"),
        ("etc", "/", "/etc/etc/srv/a", "srv/a"),
    ],
    ids=["absolute", "relative", "above the root", "to the root"],
)
def test_links_are_followed_inside_the_node_and_never_out_of_it(
    tmp_path: Path, link: str, target: str, asked: str, found: str
) -> None:
    (tmp_path / link).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / link).symlink_to(target)
    assert Host(tmp_path).at(asked) == tmp_path / found


def test_links_in_a_circle_are_one_error(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("/b")
    (tmp_path / "b").symlink_to("/a")
    with pytest.raises(NodeError, match="/a/c: too many links"):
        Host(tmp_path).at("/a/c")


@pytest.mark.parametrize("command", [("false",), ("/no/such/program",)], ids=["fails", "is not there"])
def test_a_program_that_does_not_work_is_one_error(command: tuple[str, ...]) -> None:
    with pytest.raises(NodeError, match=command[0]):
        Host().run(*command)
