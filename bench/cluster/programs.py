"""What runs on both sides, as files: the example's module, and a static C program in an image of nothing else.

With a mark each is new to every node, as a new build would be: other bytes, the same work.
"""

from __future__ import annotations

from pathlib import Path

from tests.e2e.programs import HELLO
from tests.support.docker import docker
from tests.support.images import native
from wherry.wasm.binary import name, section

_CUSTOM = 0
"""The kind of a module's section that no engine reads."""
_DOCKERFILE = 'FROM scratch\nCOPY httpd /httpd\nENTRYPOINT ["/httpd"]\n'


def module(folder: Path, mark: str) -> Path:
    """hello.wasm with a section more."""
    made = folder / "hello.wasm"
    made.write_bytes(HELLO.read_bytes() + section(_CUSTOM, name("mark") + mark.encode()))
    return made


def image(folder: Path, reference: str, mark: str = "") -> str:
    """Build the image under this reference, which is returned. A mark stands behind the end of the program."""
    program = folder / "httpd"
    program.write_bytes(native("httpd").read_bytes() + mark.encode())
    program.chmod(0o755)
    (folder / "Dockerfile").write_text(_DOCKERFILE)
    docker("build", "--quiet", "--tag", reference, str(folder))
    return reference


def push(reference: str) -> str:
    """The image, as a person pushes it; its reference."""
    docker("push", "--quiet", reference)
    return reference
