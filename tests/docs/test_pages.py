"""Every command and every document that a page shows works as shown."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT
from tests.docs.blocks import CLUSTER, HERE, Block, blocks, done, pages
from tests.docs.documents import check
from tests.docs.walkthrough import Walk
from tests.support.ports import free_port
from tests.support.registry import registry

LANGUAGES = {"sh", "yaml", "json", "text", "mermaid"}
HELLO = ROOT / "examples" / "01-hello" / "hello.wasm"
REGISTRY, METRICS = "localhost:5000", "localhost:9090"
ALL = [block for page in pages() for block in blocks(page)]
"""Read when tests are collected: a page is data here."""


def named(block: Block) -> str:
    return block.name


def test_pages_have_blocks() -> None:
    assert ALL


@pytest.mark.parametrize("page", [page for page in pages() if done(page, HERE)], ids=lambda page: page.name)
def test_the_commands_of_a_page_do_what_it_says(page: Path, tmp_path: Path) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    shutil.copyfile(HELLO, folder / "hello.wasm")
    with ExitStack() as stack:
        walk = Walk(folder, free_port(), known_addresses(page, tmp_path, stack))
        assert walk.faults(done(page, HERE)) == []


@pytest.mark.parametrize("page", [page for page in pages() if done(page, CLUSTER)], ids=lambda page: page.name)
def test_a_shell_can_read_what_a_page_does_on_a_cluster(page: Path, tmp_path: Path) -> None:
    script = Walk(tmp_path, free_port(), {}).script(done(page, CLUSTER))
    read = subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True, check=False)
    assert (read.returncode, read.stderr) == (0, "")


def known_addresses(page: Path, tmp_path: Path, stack: ExitStack) -> dict[str, str]:
    """What stands in for where a page serves metrics, and for the registry, if it names one."""
    known = {METRICS: f"localhost:{free_port()}"}
    if REGISTRY in page.read_text():
        known[REGISTRY] = stack.enter_context(registry(tmp_path)).host
    return known


@pytest.mark.parametrize("block", [block for block in ALL if block.language == "yaml"], ids=named)
def test_a_yaml_block_is_a_valid_document(block: Block) -> None:
    check(block.text, block.name)


@pytest.mark.parametrize("block", ALL, ids=named)
def test_a_block_says_what_it_is(block: Block) -> None:
    assert block.language in LANGUAGES


@pytest.mark.parametrize("block", [block for block in ALL if block.mark == "run by"], ids=named)
def test_a_command_that_is_run_elsewhere_is_run_there(block: Block) -> None:
    runner = (ROOT / block.value).read_text()
    for command in block.text.splitlines():
        assert command.partition("#")[0].strip() in runner
