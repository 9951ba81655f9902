"""Environment and folders as granted on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from wherry.errors import InputError
from wherry_cli.grants import environment, mounts

MACHINE = {"HOME": "/home/me"}


def test_a_variable_has_the_value_given_or_the_one_of_this_process() -> None:
    assert environment([], ["A=1", "B=", "C=x=y", "HOME"], MACHINE) == {
        "A": "1",
        "B": "",
        "C": "x=y",
        "HOME": "/home/me",
    }


def test_the_command_line_has_the_last_word_over_files(tmp_path: Path) -> None:
    file = tmp_path / "env"
    file.write_text("# settings\n\nA=file\nB=file\nHOME\n")
    assert environment([file], ["A=line"], MACHINE) == {"A": "line", "B": "file", "HOME": "/home/me"}


def test_a_wrong_line_of_a_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "env"
    file.write_text("A=1\n=2\n")
    with pytest.raises(InputError, match=r"env:2: got '=2', expected NAME=VALUE or NAME"):
        environment([file], [], MACHINE)


def test_a_variable_that_this_process_lacks_is_not_passed_as_empty() -> None:
    with pytest.raises(InputError, match="NOWHERE is not set"):
        environment([], ["NOWHERE"], MACHINE)


@pytest.mark.parametrize("content", [None, b"\xff\xfe"], ids=["missing", "not text"])
def test_a_file_that_cannot_be_read_is_one_clear_error(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "env"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(InputError, match="--env-file"):
        environment([file], [], MACHINE)


def test_a_mount_is_an_absolute_folder_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    assert mounts(["data=data"]) == {"data": str(tmp_path / "data")}


@pytest.mark.parametrize("given", ["data", "=/", "data=", "data=/no/such/folder"])
def test_a_mount_that_is_none_is_refused(given: str) -> None:
    with pytest.raises(InputError, match="--mount"):
        mounts([given])
