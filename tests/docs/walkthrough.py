"""A page as a newcomer follows it: its files written, its commands run in order in one shell, its outputs compared."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.docs.blocks import Block

PRELUDE = """
set -euo pipefail
set -m  # a group for each background command, so that what it started ends with it
trap 'for job in $(jobs -p); do kill -- "-$job" 2>/dev/null || true; done; wait' EXIT
listening() { until (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; do kill -0 "$!"; sleep 0.05; done; }
"""
PATIENCE = 300
PORT = "8080"
"""Where pages serve; each walk has its own."""


@dataclass(frozen=True)
class Walk:
    """Where a page is followed: the folder, and what stands in for its well-known addresses.

    patience: seconds for the whole page.
    """

    folder: Path
    port: int
    substitutions: Mapping[str, str]
    patience: float = PATIENCE

    def faults(self, blocks: Sequence[Block]) -> list[str]:
        """Run the page: what does not do as the page says, with the name of its block and what was printed."""
        self.folder.joinpath("walk.sh").write_text(self.script(blocks))
        result = subprocess.run(
            ["bash", "walk.sh"],
            cwd=self.folder,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=self.patience,
            check=False,
        )
        return [self.story(result.stderr)] if result.returncode else list(self.differences(blocks))

    def environment(self) -> dict[str, str]:
        """The shell of a newcomer: the virtual environment first on PATH, a home of its own, no colours."""
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        return {"PATH": path, "HOME": str(self.folder), "NO_COLOR": "1", "WHERRY_CACHE": str(self.folder / ".cache")}

    def script(self, blocks: Sequence[Block]) -> str:
        return PRELUDE + "\n".join(self.step(index, block) for index, block in enumerate(blocks))

    def step(self, index: int, block: Block) -> str:
        """The shell lines of one block; nothing for a block that is only shown."""
        text = self.substituted(block.text)
        if block.mark == "file":
            return f"mkdir -p $(dirname {block.value}); cat > {block.value} <<'EOF_OF_BLOCK'\n{text}EOF_OF_BLOCK"
        if block.language != "sh" or block.mark == "run by":
            return ""
        return f"echo {shlex.quote('== ' + block.name)} >&2\n" + self.command(f"out.{index}", block, text)

    def command(self, output: str, block: Block, text: str) -> str:
        if block.mark == "background":
            return f"{{ {text.rstrip()}\n}} >{output} 2>&1 &\nlistening {self.port}"
        if block.mark == "fails":
            return f"code=0; ( {text}) >{output} 2>&1 || code=$?; [ $code = {block.value} ]"
        return f"{{ {text}}} >{output} 2>&1"

    def substituted(self, text: str) -> str:
        for known, real in {PORT: str(self.port), **self.substitutions}.items():
            text = text.replace(known, real)
        return text

    def differences(self, blocks: Sequence[Block]) -> Iterator[str]:
        """Shown outputs that are not what the block before them printed."""
        for index, block in enumerate(blocks):
            if block.mark == "output":
                printed = self.folder.joinpath(f"out.{index - 1}").read_text()
                expected = re.escape(self.substituted(block.text).strip()).replace("…", ".*")
                if not re.fullmatch(expected, printed.strip(), re.DOTALL):
                    yield f"{block.name} printed:\n{printed}"

    def story(self, stderr: str) -> str:
        """What the shell said, and what the last block printed before it stopped."""
        outputs = sorted(self.folder.glob("out.*"), key=lambda path: int(path.suffix[1:]))
        return stderr + (outputs[-1].read_text() if outputs else "")
