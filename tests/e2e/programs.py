"""What stories run, as files: examples, and guests that are built for tests."""

from __future__ import annotations

from tests.architecture.tree import ROOT
from tests.support import guests

EXAMPLES = ROOT / "examples"
HELLO = EXAMPLES / "01-hello" / "hello.wasm"
"""CGI: greets, with GREETING; as a command too."""
ROUTER = EXAMPLES / "07-router" / "router.wasm"
"""A component that serves HTTP."""
OUTBOUND = EXAMPLES / "09-outbound-c" / "outbound.wasm"
"""A component that fetches what its path names."""
HOSTILE = EXAMPLES / "11-hostile" / "hostile.wasm"
"""A component with a misbehaviour for each path."""

wat = guests.wat
"""A module that is written out."""
command = guests.command
"""A program of tests/guests/command by name, built where there is a compiler."""
