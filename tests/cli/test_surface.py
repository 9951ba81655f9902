"""What the command looks like before it does anything: help, versions, completion, colours, ends of pipes."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import click
import pytest

from tests.architecture.tree import ROOT
from tests.cli.process import WHERRY, Shell
from wherry_cli import failure
from wherry_cli.commands import COMMANDS, LazyGroup

HELLO = ROOT / "examples" / "01-hello" / "hello.wasm"


def test_help_names_every_command_in_one_line_each(shell: Shell) -> None:
    outcome = shell.wherry("--help")
    assert outcome.code == 0
    for name, summary in COMMANDS.items():
        assert f"  {name:<10}  {summary}" in outcome.out


@pytest.mark.parametrize("name", COMMANDS)
def test_the_line_in_the_table_is_the_first_line_of_the_commands_own_help(name: str) -> None:
    group = LazyGroup("wherry")
    command = group.get_command(click.Context(group), name)
    assert command is not None
    assert (command.help or "").splitlines()[0] == COMMANDS[name]


def test_version_names_the_parts_for_people_and_for_programs(shell: Shell) -> None:
    assert f"wherry    {metadata.version('wherry')}" in shell.wherry("version").out
    parts = json.loads(shell.wherry("version", "--json").out)
    assert parts["wasmtime"] == metadata.version("wasmtime")
    assert set(parts) == {"wherry", "wasmtime", "python", "platform"}


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_completion_prints_a_script_for_the_shell(shell: Shell, name: str) -> None:
    outcome = shell.wherry("completion", name)
    assert outcome.code == 0
    assert f"_WHERRY_COMPLETE={name}_complete" in outcome.out


def test_bash_completes_the_names_of_commands(shell: Shell) -> None:
    wanted = {"_WHERRY_COMPLETE": "bash_complete", "COMP_WORDS": "wherry p", "COMP_CWORD": "1"}
    assert shell.wherry(env=wanted).out.split() == ["plain,push", "plain,pull"]


def on_a_terminal(*args: str, **env: str) -> str:
    """What a person sees: stdout and stderr of the command on a pseudo-terminal."""
    ours, theirs = pty.openpty()
    command = [str(WHERRY), *args]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env={**os.environ, **env}) as process:
        os.close(theirs)
        seen = b"".join(iter(lambda: read(ours), b""))
        process.wait()
    os.close(ours)
    return seen.decode()


def read(terminal: int) -> bytes:
    """Linux reports the last writer's close of a terminal as an error."""
    try:
        return os.read(terminal, 4096)
    except OSError:
        return b""


def test_a_terminal_gets_colours_unless_NO_COLOR_is_set() -> None:  # noqa: N802
    assert "\x1b[" in on_a_terminal("nonsense")
    assert "\x1b[" not in on_a_terminal("nonsense", NO_COLOR="1")


def test_a_pipe_gets_no_colours(shell: Shell) -> None:
    assert "\x1b[" not in shell.wherry("nonsense").err


def test_a_reader_that_leaves_early_causes_no_noise(shell: Shell) -> None:
    script = f"'{WHERRY}' completion bash | true; echo ${{PIPESTATUS[0]}}"
    result = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout.strip() in {"0", "1"}
    assert result.stderr == ""


def test_no_command_at_all_shows_the_help_and_is_a_wrong_usage(shell: Shell) -> None:
    outcome = shell.wherry()
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith("Usage: wherry")


@pytest.mark.parametrize("asked", [False, True], ids=["not asked", "asked"])
def test_a_bug_admits_to_be_one_and_shows_its_traceback_when_asked(
    asked: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WHERRY_DEBUG", "1" if asked else "")
    with pytest.raises(LookupError) as caught:
        raise LookupError("nobody foresaw this")
    assert failure.report_bug(caught.value) == 1
    said = capsys.readouterr().err
    assert said.startswith("wherry: a bug in wherry: LookupError: nobody foresaw this\n")
    assert f"please report it: {failure.where_to_report()}\n" in said
    assert ("Traceback" in said) is asked


def test_a_full_disk_is_said_in_one_sentence(shell: Shell) -> None:
    with open("/dev/full", "w") as full:
        command = [str(WHERRY), "inspect", str(HELLO)]
        result = subprocess.run(
            command, stdout=full, stderr=subprocess.PIPE, text=True, env=shell.environment(), check=False
        )
    assert (result.returncode, result.stderr) == (1, "wherry: the system: No space left on device\n")


WITHOUT = """
import sys
sys.modules[sys.argv.pop(1)] = None
from wherry_cli.main import main
main()
"""


def test_what_asks_a_cluster_without_the_client_says_how_to_get_it() -> None:
    command = [sys.executable, "-c", WITHOUT, "kubernetes", "status", "hello"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert result.stderr == "wherry: the Kubernetes client is not installed\n  try: pip install 'wherry[cluster]'\n"


@pytest.mark.parametrize("part", ["wasmtime", "uvloop"])
def test_what_runs_without_the_engine_says_how_to_get_it(part: str) -> None:
    served = ["--set", "spec.run=http", "--port", "1"] if part == "uvloop" else []
    command = [sys.executable, "-c", WITHOUT, part, "run", str(HELLO), *served]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 125
    assert result.stderr == "wherry: the engine is not installed\n  try: pip install 'wherry[engine]'\n"


def test_a_terminal_sees_a_bar_while_bytes_move(tmp_path: Path) -> None:
    seen = on_a_terminal("push", str(HELLO), f"oci:{tmp_path}/images:v1")
    assert "━" in seen
    assert "uploaded" in seen
