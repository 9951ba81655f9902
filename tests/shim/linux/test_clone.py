"""Children made by the raw system call, in a process of one thread without hooks."""

from __future__ import annotations

import subprocess
import sys

import pytest

PREPARED = """
import os
os.register_at_fork = lambda **_: None
import ctypes, signal, sys, threading
from wherry_shim.linux.clone import CLONE_PARENT, clone
from wherry_shim.linux.namespaces import CLONE_NEWPID
"""


def _output(program: str) -> str:
    """What a fresh interpreter, single-threaded and without hooks, writes with this program."""
    return subprocess.run(
        [sys.executable, "-c", PREPARED + program], check=True, capture_output=True, text=True, timeout=30
    ).stdout


def test_the_child_gets_nought_and_the_parent_its_pid() -> None:
    program = """
reader, writer = os.pipe()
pid = clone()
if pid == 0:
    os.write(writer, f"{os.getpid()} {os.getppid()}".encode())
    os._exit(7)
os.close(writer)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
assert os.read(reader, 99).decode() == f"{pid} {os.getpid()}"
print("as os.fork")
"""
    assert _output(program) == "as os.fork\n"


def test_the_child_runs_python_forks_again_and_starts_threads() -> None:
    program = """
pid = clone()
if pid == 0:
    inner = os.fork()
    if inner == 0:
        os._exit(sum(range(10)))
    assert os.waitstatus_to_exitcode(os.waitpid(inner, 0)[1]) == 45
    results = []
    threads = [threading.Thread(target=results.append, args=(n,)) for n in range(8)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    assert sorted(results) == list(range(8))
    os._exit(0)
assert os.waitpid(pid, 0)[1] == 0
print("all done")
"""
    assert _output(program) == "all done\n"


def test_the_c_library_knows_the_childs_thread_by_its_new_id() -> None:
    program = """
pid = clone()
if pid == 0:
    ctypes.CDLL(None)["raise"](signal.SIGTERM)  # goes to the thread that the C library believes to be
    os._exit(1)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""
    assert _output(program) == "-15\n"


def test_a_child_may_be_its_parents_sibling() -> None:
    program = """
grandparent = os.getpid()
reader, writer = os.pipe()
pid = os.fork()
if pid == 0:
    if (sibling := clone(CLONE_PARENT)) == 0:
        os.write(writer, b"y" if os.getppid() == grandparent else b"n")
        os._exit(0)
    os.write(writer, b"%d " % sibling)
    os._exit(0)
os.waitpid(pid, 0)
os.wait()
os.close(writer)
print("y" in os.read(reader, 99).decode())
"""
    assert _output(program) == "True\n"


def test_a_refusal_is_an_oserror() -> None:
    program = """
try:
    clone(0x10000)  # CLONE_THREAD without what it needs
except OSError as error:
    print(error)
"""
    assert _output(program) == "[Errno 22] clone: Invalid argument\n"


def test_a_child_may_be_the_first_of_its_pid_namespace() -> None:
    program = """
try:
    pid = clone(CLONE_NEWPID)
except PermissionError:
    print("refused")
    raise SystemExit
if pid == 0:
    os._exit(os.getpid() + 40)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""
    output = _output(program)
    if output == "refused\n":
        pytest.skip("needs CAP_SYS_ADMIN: run the tests as root")
    assert output == "41\n"
