"""Go to a preview-1 module by the ordinary compiler: GOOS=wasip1, since Go 1.21 (2.5 MB: Go's runtime goes along)."""

from __future__ import annotations

from pathlib import Path

from examples.toolchain.run import require, run


def go_version() -> str:
    """`go version go1.x linux/amd64`."""
    return run([require("go", "install Go from https://go.dev/dl"), "version"]).strip()


def preview1(source: Path, out: Path) -> None:
    """A preview-1 command from one source file."""
    go = require("go", "install Go from https://go.dev/dl")
    flags = ["-trimpath", "-ldflags=-s -w -buildid="]
    env = {"GOOS": "wasip1", "GOARCH": "wasm", "GOFLAGS": "", "CGO_ENABLED": "0"}
    run([go, "build", *flags, "-o", out.absolute(), source.name], cwd=source.parent, env=env)
