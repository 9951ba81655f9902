"""The modules are imported in a zygote and used in its children: nothing is made at import, nothing imported in use."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.architecture.tree import ROOT

IMPORT = """
import asyncio, gc, os, socket, sys, threading
from wherry_shim.proto import events_pb2, task_pb2, topics, typeurl
from wherry_shim.ttrpc import client, publisher, server
from tests.ttrpc.conversation import conversation
"""

AT_IMPORT = (
    IMPORT
    + """
assert threading.active_count() == 1
assert not [each for each in gc.get_objects() if isinstance(each, (asyncio.AbstractEventLoop, socket.socket))]
print("nothing made")
"""
)

IN_USE = (
    IMPORT
    + """
before = set(sys.modules)
child = os.fork()
if not child:
    try:
        asyncio.run(conversation(sys.argv[1]))
        print("imported:", *sorted(set(sys.modules) - before), flush=True)
    except BaseException as fault:
        print(repr(fault), flush=True)
    os._exit(0)
os.waitpid(child, 0)
"""
)


def output_of(program: str, *args: str) -> str:
    command = [sys.executable, "-W", "error", "-c", program, *args]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60).stdout


def test_importing_makes_no_loop_no_thread_and_no_socket() -> None:
    assert output_of(AT_IMPORT) == "nothing made\n"


def test_a_conversation_in_a_forked_child_imports_nothing(tmp_path: Path) -> None:
    assert output_of(IN_USE, str(tmp_path / "s")) == "imported:\n"
