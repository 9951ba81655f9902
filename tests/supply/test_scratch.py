"""A process that is killed leaves no artifacts behind for long, and none loses its own to another."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from wherry_operator.supply.scratch import scratch

HOLDS = """
import sys, signal
from pathlib import Path
from wherry_operator.supply.scratch import scratch
with scratch(Path(sys.argv[1])) as folder:
    (folder / "part").write_bytes(b"x")
    print(folder, flush=True)
    signal.pause()
"""


def test_the_folder_goes_with_its_use(tmp_path: Path) -> None:
    with scratch(tmp_path) as folder:
        (folder / "part").write_bytes(b"x")
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_is_removed_and_what_a_living_one_has_stays(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDS, str(tmp_path)]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as killed,
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as living,
    ):
        assert killed.stdout
        assert living.stdout
        rubbish, used = Path(killed.stdout.readline().strip()), Path(living.stdout.readline().strip())
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        with scratch(tmp_path) as folder:
            assert {rubbish.exists(), folder == rubbish} == {False}
            assert (used / "part").exists()
        living.kill()


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "wherry-artifacts-file").write_text("no folder")
    with scratch(tmp_path):
        assert sorted(path.name for path in tmp_path.iterdir())[:1] == ["photos"]
    assert (tmp_path / "wherry-artifacts-file").exists()
