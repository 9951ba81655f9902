"""The GitHub Action does what it says, as far as it is a script."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import yaml

from tests.architecture.tree import ROOT
from tests.cli.keys import key_pair
from tests.cli.process import WHERRY
from tests.support.registry import registry

ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
PUSH = ROOT / ".github" / "push"
HELLO = ROOT / "examples" / "01-hello" / "hello.wasm"


def pushed(folder: Path, **inputs: str) -> dict[str, str]:
    """The action's outputs."""
    output = folder / "output"
    path = f"{WHERRY.parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "GITHUB_OUTPUT": str(output)} | inputs
    subprocess.run([PUSH], env=environment, check=True, capture_output=True, timeout=240)
    return dict(line.split("=", 1) for line in output.read_text().splitlines())


def test_the_action_pushes_and_signs_what_it_pushed(tmp_path: Path) -> None:
    private, public = key_pair(tmp_path, "team")
    with registry(tmp_path) as running:
        reference = f"{running.host}/hello:v1"
        found = pushed(tmp_path, FILE=str(HELLO), REFERENCE=reference, KEY=private.read_text(), ANNOTATIONS="a=b\n")
        assert found["image"] == f"{running.host}/hello@{found['digest']}"
        subprocess.run([WHERRY, "verify", "--key", public, reference], check=True, capture_output=True)


def test_without_a_key_nothing_is_signed(tmp_path: Path) -> None:
    reference = f"oci:{tmp_path / 'layout'}:v1"
    assert pushed(tmp_path, FILE=str(HELLO), REFERENCE=reference)["digest"].startswith("sha256:")


def test_the_action_hands_every_input_on_and_every_output_out() -> None:
    step = ACTION["runs"]["steps"][-1]
    assert set(step["env"].values()) == {f"${{{{ inputs.{name} }}}}" for name in ACTION["inputs"]}
    assert {each["value"] for each in ACTION["outputs"].values()} == {
        f"${{{{ steps.{step['id']}.outputs.{name} }}}}" for name in ACTION["outputs"]
    }
    script = PUSH.read_text()
    assert all(f"${name}" in script or f"${{{name}:-" in script for name in step["env"])
