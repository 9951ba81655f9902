"""The images as a cluster gets them."""

from __future__ import annotations

import json
import subprocess

import pytest

from tests.architecture.tree import ROOT
from tests.support.docker import base, docker, inspect, need_engine

pytestmark = [pytest.mark.peer, pytest.mark.slow]

NAMES = ("operator", "agent", "runner")
IMPORT_ALL = """
import importlib, pkgutil, {package}
for module in pkgutil.walk_packages({package}.__path__, "{package}."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
print("imported")
"""
DISTRIBUTIONS = """
from importlib.metadata import distributions
print(*sorted({each.name.lower().replace("_", "-").replace(".", "-") + "@" + each.version for each in distributions()}))
"""


@pytest.fixture(scope="module")
def images() -> dict[str, str]:
    """By name."""
    need_engine(*map(base, NAMES))
    done = subprocess.run([ROOT / "images" / "build"], capture_output=True, text=True, timeout=1200, check=False)
    assert done.returncode == 0, done.stderr
    return dict(zip(NAMES, done.stdout.split(), strict=True))


def run(image: str, *command: str) -> str:
    """As a cluster would run it: nothing of the root can be written."""
    entry, *arguments = command
    return docker("run", "--rm", "--read-only", "--entrypoint", entry, image, *arguments)


@pytest.mark.parametrize("name", ["operator", "runner"])
def test_nobody_is_root_in(images: dict[str, str], name: str) -> None:
    assert run(images[name], "id", "-u").strip() == "65532"
    assert run(images[name], "find", "/app", "-writable", "!", "-type", "l") == ""


@pytest.mark.parametrize(("name", "package"), [("operator", "wherry_operator"), ("agent", "wherry_agent")])
def test_everything_that_is_imported_is_in(images: dict[str, str], name: str, package: str) -> None:
    assert run(images[name], "python", "-c", IMPORT_ALL.format(package=package)) == "imported\n"


def test_the_runner_writes_to_its_cache_alone(images: dict[str, str]) -> None:
    hello = ROOT / "examples" / "01-hello" / "hello.wasm"
    places = ["--read-only", "--tmpfs", "/cache:uid=65532,exec", "--volume", f"{hello}:/hello.wasm:ro"]
    said = docker("run", "--rm", *places, "--env", "WHERRY_CACHE=/cache", images["runner"], "run", "/hello.wasm")
    assert said.endswith("Hello from the command line\n")


@pytest.mark.parametrize("name", NAMES)
def test_byte_code_is_compiled_ahead_and_knows_no_clock_in(images: dict[str, str], name: str) -> None:
    counting = 'find /app -name "*.py" | wc -l; find /app -name "*.pyc" | wc -l; find /app -newermt 1980-01-02 -type f'
    sources, compiled, *younger = run(images[name], "sh", "-c", counting).split()
    assert int(sources) == int(compiled) > 1000
    assert younger == []


@pytest.mark.parametrize("name", NAMES)
def test_an_image_says_all_that_it_is_made_of(images: dict[str, str], name: str) -> None:
    bill = json.loads(run(images[name], "cat", "/app/sbom.cdx.json"))
    ours = [bill["metadata"]["component"], *bill["components"]]
    python = {part["purl"].removeprefix("pkg:pypi/") for part in ours if part["purl"].startswith("pkg:pypi/")}
    assert python == set(run(images[name], "python", "-c", DISTRIBUTIONS).split())
    debian = {part["name"] for part in ours if part["purl"].startswith("pkg:deb/")}
    assert {"libc6", "zlib1g"} <= debian
    hashed = [part for part in bill["components"] if "externalReferences" in part]
    assert all(part["externalReferences"][0]["hashes"] for part in hashed)
    assert len(hashed) == len(python) - 1


def test_another_build_gives_the_same_layers(images: dict[str, str]) -> None:
    """The runner's: all are made alike, and it is the smallest."""
    again = f"{images['runner']}-again"
    context = [
        "--build-arg",
        f"PYTHON={base('runner')}",
        "--file",
        str(ROOT / "images" / "runner" / "Dockerfile"),
        str(ROOT),
    ]
    try:
        docker("build", "--no-cache", "--quiet", "--tag", again, *context)
        assert tree(again) == tree(images["runner"])
        assert inspect(again)["RootFS"] == inspect(images["runner"])["RootFS"]
    finally:
        subprocess.run(["docker", "image", "rm", again], capture_output=True, check=False)


def tree(image: str) -> list[str]:
    """Every file: mode, owner, time, digest or target."""
    shown = "find /app -type f -printf '%p %m %U %G %T@ ' -exec sha256sum {} \\; -o -printf '%p %m %U %G %l\\n' | sort"
    return run(image, "sh", "-c", shown).splitlines()
