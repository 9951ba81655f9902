"""containerd's own programs understand every configuration that we write, and read nothing else out of it."""

from __future__ import annotations

import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.node import configs
from tests.support import programs
from wherry_shim.node import dump, table

pytestmark = pytest.mark.peer

PREFIX = "/opt/wherry"
NOT_FOR_1 = {"version 3", "exotic quotes"}
CASES = [
    (version, name)
    for version in programs.VERSIONS
    for name in configs.RIGHT
    if programs.numbers(version) >= (2, 0) or name not in NOT_FOR_1
]


def dumped(version: str, main: Path) -> dict[str, Any]:
    program = programs.containerd(version) / "containerd"
    done = subprocess.run([program, "--config", main, "config", "dump"], capture_output=True, text=True, check=True)
    return tomllib.loads(done.stdout)


def written(folder: Path, name: str) -> Path:
    """The configuration in a folder of its own, with the files that it imports."""
    main = folder / "config.toml"
    main.write_bytes(configs.RIGHT[name].replace("/etc/containerd", str(folder)).encode())
    for other in ("one", "two", "extra"):
        (folder / f"{other}.toml").write_text("version = 2\n")
    (folder / "conf.d").mkdir()
    return main


def changed(version: str, main: Path, before: dict[str, Any]) -> None:
    text, where = main.read_bytes().decode(), str(main)
    declared = table.declared_version(tomllib.loads(text))
    if programs.numbers(version) < (2, 0):
        text = table.with_block(text, where, declared, PREFIX, dump.handlers(before))
    else:
        drop_in = main.parent / "conf.d" / "wherry.toml"
        drop_in.write_text(table.drop_in(declared, PREFIX))
        text = table.with_import(text, where, str(drop_in))
    main.write_bytes(text.encode())


@pytest.mark.parametrize(("version", "name"), CASES)
def test_containerd_reads_our_table_and_all_that_it_read_before(version: str, name: str, tmp_path: Path) -> None:
    main = written(tmp_path, name)
    before = dumped(version, main)
    assert "wherry" not in dump.handlers(before)
    assert "runc" in dump.handlers(before)
    changed(version, main, before)
    after = dumped(version, main)
    assert dump.strange_changes(before, after) == []
    assert dump.handlers(after)["wherry"].items() >= table.runtime(PREFIX).items()
    assert dump.handlers(after).keys() == {*dump.handlers(before), "wherry"}
    text = main.read_bytes()
    changed(version, main, after)
    assert main.read_bytes() == text


def test_containerd_1_7_would_forget_its_own_runtime_without_our_help(tmp_path: Path) -> None:
    main = written(tmp_path, "one line")
    before = dumped("1.7", main)
    main.write_text(table.with_block(main.read_text(), str(main), 2, PREFIX))
    lost = dump.strange_changes(before, dumped("1.7", main))
    assert lost
    assert all(".containerd.runtimes.runc." in path for path in lost)


def test_a_change_beside_our_table_is_seen() -> None:
    runtimes = {"runc": {"runtime_type": "a"}}
    before = {"imports": ["a"], "plugins": {"io.containerd.cri.v1.runtime": {"containerd": {"runtimes": runtimes}}}}
    after = {
        "imports": ["b"],
        "root": "/x",
        "plugins": {
            "io.containerd.cri.v1.runtime": {"containerd": {"runtimes": {"wherry": {"runtime_type": "w"}}}, "cdi": True}
        },
    }
    assert dump.strange_changes(before, after) == [
        "plugins.io.containerd.cri.v1.runtime.containerd.runtimes.runc.runtime_type",
        "plugins.io.containerd.cri.v1.runtime.cdi",
        "root",
    ]


@pytest.mark.parametrize("name", ["cri", "io.containerd.grpc.v1.cri", "io.containerd.cri.v1.runtime"])
def test_a_containerd_without_cri_is_recognised(name: str) -> None:
    assert dump.cri_is_disabled({"disabled_plugins": [name]})
    assert not dump.cri_is_disabled({"disabled_plugins": ["io.containerd.internal.v1.opt"]})
