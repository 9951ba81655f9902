"""Every group of WASI functions answers as in wasmtime's own program, for modules and for components."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import guests
from tests.support.commands import Outcome, ours, plan_of, theirs
from wherry.plan.model import Mount

KINDS: dict[str, Callable[[str], Path]] = {"module": guests.command, "component": guests.command_component}

GROUPS = (
    "arguments",
    "environment",
    "clocks",
    "randomness",
    "streams",
    "reading",
    "writing",
    "times",
    "descriptors",
    "listing",
    "folders",
    "links",
    "escapes",
    "waiting",
    "scheduling",
    "leaving",
)
CASES = [(kind, group) for kind in KINDS for group in GROUPS]
CASES.append(("module", "sockets"))  # the adapter that makes components of modules has none

STDIN = b"what came in, " * 40


def folder(at: Path) -> Path:
    """A folder to be mounted, with a file and a folder in it, a file beside it and a link to that."""
    mounted = at / "mounted"
    (mounted / "inner").mkdir(parents=True)
    (mounted / "given").write_text("some given content")
    (at / "outside").write_text("not for the guest")
    (mounted / "out").symlink_to("../outside")
    return mounted


def tree(at: Path) -> dict[str, str]:
    """Every path below, with its content or what it is."""
    found = {}
    for path in sorted(at.rglob("*")):
        name = str(path.relative_to(at))
        found[name] = f"-> {path.readlink()}" if path.is_symlink() else path.read_text() if path.is_file() else "/"
    return found


def run_in(run: Callable[..., Outcome], at: Path, guest: Path, group: str) -> tuple[int, str, bytes, dict[str, str]]:
    mount = Mount(str(folder(at)), "/data")
    outcome = run(plan_of(guest, group, env=(("NAME", "value"), ("EMPTY", "")), mounts=(mount,)), STDIN)
    return outcome.ending.code, outcome.stdout.decode(), outcome.stderr, tree(at)


@pytest.mark.parametrize(("kind", "group"), CASES)
def test_a_group_answers_as_in_wasmtime_itself(kind: str, group: str, tmp_path: Path) -> None:
    guest = KINDS[kind]("wasi")
    expected = run_in(theirs, tmp_path / "theirs", guest, group)
    assert expected[1], "the guest said nothing: there would be nothing to compare"
    assert run_in(ours, tmp_path / "ours", guest, group) == expected


@pytest.mark.parametrize("kind", KINDS)
def test_a_read_only_folder_can_be_read_and_nothing_else(kind: str, tmp_path: Path) -> None:
    mounted = folder(tmp_path)
    before = tree(tmp_path)
    mount = Mount(str(mounted), "/data", readonly=True)
    outcome = ours(plan_of(KINDS[kind]("wasi"), "refusals", mounts=(mount,)))
    lines = outcome.stdout.decode().splitlines()
    assert "fd_read 0" in lines
    answers = [line.split() for line in lines[lines.index("fd_read 0") + 2 :]]
    assert [call for call, *rest in answers if "_" in call and rest == ["0"]] == []
    assert tree(tmp_path) == before


@pytest.mark.parametrize("kind", KINDS)
def test_a_guest_without_grants_has_no_folder_no_environment_and_no_arguments(kind: str) -> None:
    guest = KINDS[kind]("wasi")
    assert b"fd_prestat_get 0" not in ours(plan_of(guest, "descriptors")).stdout
    assert ours(plan_of(guest, "environment")).stdout == b"environ_sizes_get 0\nenviron_get 0\n"
