"""What a person gets wrong: one clear sentence each, what to do about it, and the right exit code. No traceback."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT
from tests.cli.keys import key_pair
from tests.cli.process import Shell

HELLO = ROOT / "examples" / "01-hello" / "hello.wasm"
GOLDEN = Path(__file__).with_name("mistakes.txt")
"""`$ command`, then what it says on stderr, then `[exit code]`; an empty line between."""


@pytest.fixture
def desk(shell: Shell) -> Shell:
    """The files that the mistakes are made with."""
    folder = shell.folder
    (folder / "hello.wasm").write_bytes(HELLO.read_bytes())
    (folder / "text.wasm").write_text("(module)")
    (folder / "native.wasm").write_bytes(b"\x7fELF" + bytes(60))
    (folder / "cut.wasm").write_bytes(HELLO.read_bytes()[:100])
    (folder / "app.yaml").write_text(document("a"))
    (folder / "two.yaml").write_text(f"{document('a')}---\n{document('b')}")
    (folder / "wrong.yaml").write_text(document("a", "replica: 2\n  limits: {memory: 64}"))
    (folder / "granted.yaml").write_text(document("a", GRANTS))
    (folder / "signed.yaml").write_text(document("a", "verify: {keys: [{secret: {name: keys, key: a}}]}"))
    (folder / "other.yaml").write_text("apiVersion: v1\nkind: Service\nmetadata: {name: a}\n")
    (folder / "broken.yaml").write_text("kind: [\n")
    (folder / "folder").mkdir()
    key_pair(folder, "ours")
    return shell


GRANTS = """env: [{name: TOKEN, valueFrom: {secretKeyRef: {name: s, key: k}}}]
  capabilities: {files: [{name: data, mountPath: /data}]}
  podTemplate: {spec: {volumes: [{name: data}]}}"""


def document(name: str, more: str = "run: command") -> str:
    head = "apiVersion: wherry.dev/v1alpha1\nkind: WasmApp\n"
    return f"{head}metadata: {{name: {name}}}\nspec:\n  artifact: ./hello.wasm\n  {more}\n"


def cases() -> list[tuple[str, str]]:
    """Command and what it is to say, as the golden file has them."""
    parts = re.split(r"(?<=\])\n\n(?=\$ )", GOLDEN.read_text().strip())
    return [(command.removeprefix("$ "), said) for command, _, said in (part.partition("\n") for part in parts)]


@pytest.mark.parametrize(("command", "said"), [pytest.param(*case, id=case[0]) for case in cases()])
def test_a_mistake_is_one_clear_sentence(desk: Shell, command: str, said: str) -> None:
    outcome = desk.wherry(*shlex.split(command.removeprefix("wherry")))
    assert f"{outcome.err}[{outcome.code}]" == said
    assert outcome.out == ""
