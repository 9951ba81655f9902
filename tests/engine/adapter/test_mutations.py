"""Odd guests: they are refused with an error, and never take the process with them."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import guests

MUTATE = Path(__file__).parent / "mutate.py"


@pytest.mark.parametrize("adapter", ["http", "command"])
def test_changed_bytes_are_an_error_or_a_component(adapter: str) -> None:
    guest = guests.http("types") if adapter == "http" else guests.command_component("hostile")

    done = subprocess.run(
        [sys.executable, str(MUTATE), str(guest), adapter, "300"],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )

    assert done.returncode == 0, done.stderr[-2000:]
    refused, compiled = map(int, done.stdout.split())
    assert refused > 100
    assert refused + compiled == 300
