"""Programs that change the node: real processes, told to end when the agent has to."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from tests.agent.station import soon
from wherry_agent.programs import Ended, run

WAITS = """
import signal, sys
signal.signal(signal.SIGTERM, signal.default_int_handler)
try:
    print("at work", flush=True)
    signal.pause()
except KeyboardInterrupt:
    open(sys.argv[1], "w").write("everything is undone")
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module `waits` on the path, whose file of results is returned."""
    (tmp_path / "waits.py").write_text(WAITS)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{':'.join(path for path in sys.path if path)}")
    return tmp_path / "result"


def test_an_agent_that_must_end_lets_an_install_undo_itself_first(
    module: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        work = asyncio.ensure_future(run("waits", str(module)))
        await soon(lambda: "at work" in caplog.text)
        work.cancel()
        await asyncio.wait([work])
        assert work.cancelled()

    with caplog.at_level("INFO"):
        asyncio.run(asyncio.wait_for(scenario(), 60))
    assert module.read_text() == "everything is undone"


def test_the_reason_of_a_failure_is_the_programs_own_sentence() -> None:
    ended = asyncio.run(run("wherry_shim.node", "check", "--root", "/absent"))
    assert ended.code == 2
    assert ended.fault


@pytest.mark.parametrize(
    ("ended", "fault"),
    [
        (Ended(0, ("wherry-node: never said",)), ""),
        (Ended(1, ("looking", "wherry-node: 1 Wasm pods run here: a/b", "  try: drain")), "1 Wasm pods run here: a/b"),
        (Ended(1, ("Killed",)), "Killed"),
        (Ended(-9, ()), "exit status -9"),
    ],
)
def test_a_fault_is_one_sentence(ended: Ended, fault: str) -> None:
    assert ended.fault == fault
