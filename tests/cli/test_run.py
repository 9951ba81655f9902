"""`wherry run` of commands: what a guest is given, what it gives back, and how it ends."""

from __future__ import annotations

import hashlib
import json
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.process import PATIENCE, Shell
from tests.support import guests
from wherry.plan import codec
from wherry.plan.model import ARGV0, RunPlan, WasmFile

Built = Callable[[str], Path]
KINDS = [pytest.param(guests.command, id="module"), pytest.param(guests.command_component, id="component")]


@pytest.mark.parametrize("built", KINDS)
def test_a_guest_gets_its_arguments_its_input_and_nothing_of_this_process(shell: Shell, built: Built) -> None:
    outcome = shell.wherry("run", "-q", built("echo"), "--", "a b", "--flag", stdin="typed\n", env={"SECRET": "x"})
    assert outcome.out == f"arg {ARGV0}\narg a b\narg --flag\ntyped\n"
    assert (outcome.code, outcome.err) == (0, "")


@pytest.mark.parametrize("built", KINDS)
def test_variables_come_from_flags_and_files(shell: Shell, built: Built) -> None:
    (shell.folder / "env").write_text("A=file\nB=file\n")
    given = ["--env", "B=flag", "--env", "MINE", "--env-file", "env"]
    outcome = shell.wherry("run", "-q", *given, built("echo"), env={"MINE": "here"})
    assert sorted(outcome.out.splitlines()) == [f"arg {ARGV0}", "env A=file", "env B=flag", "env MINE=here"]


@pytest.mark.parametrize("code", [0, 1, 2, 77])
def test_the_guests_exit_code_is_ours(shell: Shell, code: int) -> None:
    assert shell.wherry("run", "-q", guests.command("exit"), "--", str(code)).code == code


def test_a_folder_is_seen_where_the_app_says_and_only_when_granted(shell: Shell) -> None:
    (shell.folder / "mine").mkdir()
    (shell.folder / "mine" / "note").write_text("kept")
    (shell.folder / "files.wasm").write_bytes(guests.command("files").read_bytes())
    (shell.folder / "app.yaml").write_text(FILES)
    outcome = shell.wherry("run", "-q", "app.yaml", "--mount", "data=mine", "--", "read", "/data/note")
    assert outcome.out == "kept"
    outside = shell.wherry("run", "-q", "files.wasm", "--", "read", "/data/note")
    assert (outside.code, "kept" in outside.out) == (1, False)


FILES = """\
apiVersion: wherry.dev/v1alpha1
kind: WasmApp
metadata: {name: files}
spec:
  artifact: ./files.wasm
  capabilities: {files: [{name: data, mountPath: /data}]}
  podTemplate: {spec: {volumes: [{name: data}]}}
"""


def test_a_trap_is_134_with_its_reason_and_backtrace(shell: Shell) -> None:
    trapping = guests.wat('(module (memory (export "memory") 1) (func $boom (export "_start") unreachable))')
    outcome = shell.wherry("run", "-q", trapping)
    assert outcome.code == 134
    assert outcome.err.startswith("trap/unreachable: ")
    assert "boom" in outcome.err


def test_a_limit_is_124_with_its_reason(shell: Shell) -> None:
    looping = guests.wat('(module (memory (export "memory") 1) (func (export "_start") (loop (br 0))))')
    outcome = shell.wherry("run", "-q", looping, "--set", "spec.limits.timeout=100ms")
    assert (outcome.code, outcome.err.split(":")[0]) == (124, "limit/timeout")
    fuelled = shell.wherry("run", "-q", looping, "--set", "spec.limits.fuel=1000")
    assert (fuelled.code, fuelled.err.split(":")[0]) == (124, "limit/fuel")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_a_signal_ends_a_guest_that_never_would(shell: Shell, number: signal.Signals) -> None:
    with shell.started("run", "-q", guests.wat(SAYS_AND_LOOPS)) as process:
        assert process.stdout
        assert process.stdout.readline() == "on\n"
        process.send_signal(number)
        assert process.wait(PATIENCE) == 128 + number


SAYS_AND_LOOPS = """(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\\08\\00\\00\\00\\03\\00\\00\\00on\\0a")
  (func (export "_start")
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16)))
    (loop (br 0))))"""


def test_output_arrives_while_the_guest_still_runs(shell: Shell) -> None:
    with shell.started("run", "-q", guests.wat(SAYS_AND_LOOPS)) as process:
        assert process.stdout
        assert process.stdout.readline() == "on\n"
        assert process.poll() is None


def test_a_run_is_summed_up_on_stderr(shell: Shell) -> None:
    outcome = shell.wherry("run", guests.command("exit"), "--", "0")
    assert outcome.err.splitlines()[-1].startswith("wherry: 1 run, 1 instance, ")


def test_what_means_nothing_without_a_cluster_is_named_once(shell: Shell) -> None:
    outcome = shell.wherry(
        "run", guests.command("exit"), "--set", "spec.replicas=3", "--set", "spec.pull={refresh: 1h}"
    )
    assert outcome.err.count("ignored: spec.pull, spec.replicas\n") == 1


def test_a_container_is_given_its_plan_as_a_file(shell: Shell) -> None:
    wasm = guests.command("echo")
    plan = RunPlan(run="command", wasm=WasmFile("/elsewhere", digest_of(wasm)), argv=(ARGV0, "planned"))
    (shell.folder / "plan.json").write_text(codec.to_json(plan))
    outcome = shell.wherry("run", "-q", "--plan", "plan.json", "--wasm", wasm)
    assert outcome.out == f"arg {ARGV0}\narg planned\n"


def test_a_container_gets_the_variables_that_its_annotation_names(shell: Shell) -> None:
    wasm = guests.command("echo")
    limits = {"memory": 32 << 20, "timeout": None, "fuel": None, "concurrency": 1}
    annotation = {"v": 1, "run": "command", "wasm": digest_of(wasm), "env": ["SEEN"], "limits": limits}
    (shell.folder / "plan.json").write_text(json.dumps(annotation))
    seen = {"SEEN": "yes", "HIDDEN": "no"}
    outcome = shell.wherry("run", "-q", "--plan", "plan.json", "--wasm", wasm, "--", "given", env=seen)
    assert outcome.out == f"arg {ARGV0}\narg given\nenv SEEN=yes\n"


def test_a_container_whose_file_is_not_that_of_its_plan_does_not_start(shell: Shell) -> None:
    plan = RunPlan(run="command", wasm=WasmFile("/elsewhere", "sha256:" + "0" * 64))
    (shell.folder / "plan.json").write_text(codec.to_json(plan))
    outcome = shell.wherry("run", "-q", "--plan", "plan.json", "--wasm", guests.command("echo"))
    assert (outcome.code, outcome.out) == (125, "")


def digest_of(path: Path) -> str:
    return f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
