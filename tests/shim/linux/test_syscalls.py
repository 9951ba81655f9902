"""The wrapped system calls, each in a process of its own: most can only be done once and never be undone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs CAP_SYS_ADMIN: run the tests as root")

IMPORTS = """
import os, pathlib, signal, socket, sys
from wherry_shim.linux.mounts import *
from wherry_shim.linux.namespaces import *
from wherry_shim.linux.calls import call, make
from wherry_shim.linux.privileges import *
from wherry_shim.linux.process import *
status = lambda: dict(line.split(":\\t") for line in open("/proc/self/status").read().splitlines())
"""


def _output(program: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS + program, *arguments], check=False, capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_namespace_is_left_and_entered_again() -> None:
    program = """
before, name = os.open("/proc/self/ns/uts", os.O_RDONLY), socket.gethostname()
unshare(CLONE_NEWUTS)
sethostname("wherry")
print(socket.gethostname())
setns(before, CLONE_NEWUTS)
print(socket.gethostname() == name)
"""
    assert _output(program) == "wherry\nTrue\n"


def test_a_root_of_ones_own_holds_what_was_mounted_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "granted").mkdir()
    (tmp_path / "granted" / "file").write_text("x")
    program = """
unshare(CLONE_NEWNS)
mount(None, "/", None, MS_REC | MS_PRIVATE)
root = sys.argv[1] + "/root"
os.mkdir(root)
mount("tmpfs", root, "tmpfs", MS_NOSUID | MS_NODEV, "size=64k,mode=755")
os.mkdir(root + "/data")
mount(sys.argv[1] + "/granted", root + "/data", None, MS_BIND)
mount(None, root + "/data", None, MS_BIND | MS_REMOUNT | MS_RDONLY)
os.chdir(root)
pivot_root(".", ".")
umount(".", MNT_DETACH)
os.chdir("/")
print(os.listdir("/"), os.listdir("/data"))
try:
    os.mkdir("/data/more")
except OSError as error:
    print(error.strerror)
"""
    assert _output(program, str(tmp_path)) == "['data'] ['file']\nRead-only file system\n"
    assert os.listdir(tmp_path / "root") == []


def test_rights_that_were_given_up_are_gone() -> None:
    program = """
make(no_new_privileges())
make(drop_bounding_set())
make(keep_capabilities())
os.setresgid(65532, 65532, 65532)
os.setresuid(65532, 65532, 65532)
make(drop_capabilities())
have = status()
print([have["Cap" + name] for name in ("Inh", "Prm", "Eff", "Bnd", "Amb")], have["NoNewPrivs"])
"""
    none = "0" * 16
    assert _output(program) == f"{[none] * 5} 1\n"


@pytest.mark.parametrize("early", [True, False])
def test_a_process_dies_with_its_parent_even_if_that_was_quicker(early: bool) -> None:
    program = """
early, (reader, writer) = sys.argv[1] == "True", os.pipe()
middle = os.fork()
if middle == 0:
    parent, (ready, told) = os.getpid(), os.pipe()
    if os.fork() == 0:
        while early and os.getppid() == parent: pass
        die_with_parent(parent, signal.SIGKILL)
        os.write(told, b"x")
        signal.pause()
    if not early: os.read(ready, 1)
    os._exit(0)
os.close(writer)
os.waitpid(middle, 0)
print(os.read(reader, 1))
"""
    assert _output(program, str(early)) == "b''\n"


def test_a_name_is_shown_and_orphans_come_to_a_subreaper() -> None:
    program = """
set_name("wherry-worker-of-a-pod")
become_subreaper()
if os.fork() == 0:
    if os.fork() == 0:
        os._exit(3)
    os._exit(0)
print(status()["Name"], sorted(os.waitstatus_to_exitcode(os.wait()[1]) for _ in range(2)))
"""
    assert _output(program) == "wherry-worker-o [0, 3]\n"


@pytest.mark.parametrize(
    ("call", "says"),
    [
        ("mount('none', '/nowhere', 'tmpfs')", "[Errno 2] mount tmpfs: No such file or directory: '/nowhere'"),
        ("umount('/nowhere')", "[Errno 2] umount: No such file or directory: '/nowhere'"),
        ("pivot_root('/nowhere', '/nowhere')", "[Errno 2] pivot_root: No such file or directory: '/nowhere'"),
        ("setns(0)", "[Errno 22] setns: Invalid argument"),
        ("unshare(1)", "[Errno 22] unshare: Invalid argument"),
        ("sethostname('x' * 65)", "[Errno 22] sethostname: Invalid argument"),
        ("make([call('prctl', 99999, 0, 0, 0, 0)])", "[Errno 22] prctl: Invalid argument"),
        ("prctl(99999)", "[Errno 22] prctl 99999: Invalid argument"),
    ],
)
def test_a_refusal_says_what_was_tried_and_where(call: str, says: str) -> None:
    program = f"""
unshare(CLONE_NEWNS | CLONE_NEWUTS)
mount(None, "/", None, MS_REC | MS_PRIVATE)
try:
    {call}
except OSError as error:
    print(error)
"""
    assert _output(program) == says + "\n"
