"""The tree holds all that it needs, and runs where there is nothing else."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.node.emptyroot import EmptyRoot, empty_root
from wherry_shim.node import manifest, tree
from wherry_shim.node.distributions import needed
from wherry_shim.node.libraries import is_elf, loaded_part
from wherry_shim.node.manifest import Manifest

HELLO = Path(__file__).parents[2] / "examples/01-hello/hello.wasm"
PREFIX = "/opt/wherry/versions"

pytestmark = pytest.mark.slow


def build(root: Path) -> Manifest:
    root.mkdir(parents=True)
    return tree.build(root, lambda listed: Path(PREFIX) / listed.name)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> EmptyRoot:
    """An empty file system with the tree in it, and one Wasm file."""
    bare = empty_root(tmp_path_factory.mktemp("node") / "root")
    staged = bare.path / "staged"
    placed = bare.path / PREFIX[1:] / build(staged).name
    placed.parent.mkdir(parents=True)
    staged.rename(placed)
    (bare.path / "opt/wherry/current").symlink_to(Path("versions") / placed.name)
    shutil.copy(HELLO, bare.path / "tmp/hello.wasm")
    return bare


def python(root: EmptyRoot, script: str) -> str:
    done = root.run("/opt/wherry/current/bin/python", "-c", script)
    assert done.returncode == 0, done.stderr
    return done.stdout


EVERYTHING = """
import json, pkgutil, importlib, sys
import wherry, wherry_shim
import ssl, asyncio, uvloop, httptools, yaml, requests, oras, ctypes, hashlib, lzma, bz2
from cryptography.hazmat.primitives.asymmetric import ec
for package in (wherry, wherry_shim):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
modules = sorted({m.__file__ for m in sys.modules.values() if getattr(m, "__file__", None)})
libraries = sorted({line.split()[-1] for line in open("/proc/self/maps") if ".so" in line})
print(json.dumps({"modules": modules, "libraries": libraries, "executable": sys.executable}))
"""


def test_everything_is_imported_from_the_tree_where_there_is_nothing_else(root: EmptyRoot) -> None:
    seen = json.loads(python(root, EVERYTHING))
    assert len(seen["modules"]) > 300
    assert len(seen["libraries"]) > 20
    strangers = [path for path in [*seen["modules"], *seen["libraries"]] if not path.startswith(PREFIX)]
    assert strangers == []
    assert seen["executable"].startswith(PREFIX)


COMMAND = """
import hashlib
from pathlib import Path
from wherry.engine.host import Host
from wherry.engine.run import run
from wherry.plan.model import RunPlan, WasmFile

wasm = Path("/tmp/hello.wasm")
digest = "sha256:" + hashlib.sha256(wasm.read_bytes()).hexdigest()
plan = RunPlan("command", WasmFile(str(wasm), digest), ("/app.wasm",))
print(run(plan, Host(stdio=(0, 1, 2), cache=Path("/tmp/cache"))).code)
"""


def test_a_wasm_command_is_compiled_and_run_where_there_is_nothing_else(root: EmptyRoot) -> None:
    assert python(root, COMMAND).endswith("Hello from the command line\n0\n")
    assert list((root.path / "tmp/cache/aot").rglob("*.cwasm"))


def test_outbound_https_trusts_the_authorities_of_the_tree(root: EmptyRoot) -> None:
    count = "import ssl; print(len(ssl.create_default_context().get_ca_certs()))"
    assert int(python(root, count)) > 50


def test_whoever_runs_the_unit_may_name_other_authorities(root: EmptyRoot) -> None:
    (root.path / "tmp/own.pem").touch()
    show = ("/opt/wherry/current/bin/python", "-c", "import os; print(os.environ['SSL_CERT_FILE'])")
    assert root.run(*show, env={"SSL_CERT_FILE": "/tmp/own.pem"}).stdout == "/tmp/own.pem\n"
    assert root.run(*show, env={"SSL_CERT_FILE": "/gone.pem"}).stdout.startswith(PREFIX)


def test_variables_of_another_python_change_nothing(root: EmptyRoot) -> None:
    (root.path / "tmp/os.py").write_text("raise SystemExit('a stranger')")
    strange = {"PYTHONPATH": "/tmp", "PYTHONHOME": "/tmp", "LD_LIBRARY_PATH": "/tmp"}
    assert root.run("/opt/wherry/current/bin/python", "-c", "print('ours')", env=strange).stdout == "ours\n"


def test_running_it_writes_nothing_into_it(root: EmptyRoot) -> None:
    python(root, EVERYTHING)
    place = (root.path / PREFIX[1:]).iterdir()
    (placed,) = place
    assert manifest.differences(placed, manifest.read(placed)) == []


def test_a_tree_makes_the_same_tree_again(root: EmptyRoot) -> None:
    script = f"""
from pathlib import Path
from wherry_shim.node import tree
Path("/tmp/again").mkdir()
print(tree.build(Path("/tmp/again"), lambda listed: Path({PREFIX!r}) / listed.name).name)
"""
    name = python(root, script).strip()
    placed = root.path / PREFIX[1:] / name
    assert manifest.read(root.path / "tmp/again") == manifest.read(placed)
    assert (placed / "bin/python").read_bytes() == (root.path / "tmp/again/bin/python").read_bytes()


def test_two_builds_have_the_same_content(root: EmptyRoot, tmp_path: Path) -> None:
    again = build(tmp_path / "again")
    first = manifest.read(root.path / PREFIX[1:] / again.name)
    assert again == first


def test_a_changed_a_missing_and_a_new_file_are_named(tmp_path: Path) -> None:
    for name in ("same", "changed", "missing"):
        (tmp_path / name).write_text(name)
    listed = manifest.take(tmp_path, "1")
    (tmp_path / "changed").write_text("otherwise")
    (tmp_path / "missing").unlink()
    (tmp_path / "new").touch()
    assert manifest.differences(tmp_path, listed) == ["changed", "missing", "new"]


def test_what_only_people_and_developers_need_is_left_out() -> None:
    names = {distribution.name.lower() for distribution in needed()}
    assert {"wherry", "wasmtime", "uvloop", "httptools", "cryptography"} <= names
    assert not names & {"rich", "pytest", "mypy", "ruff", "ziglang", "pip", "setuptools"}


def test_a_stripped_library_still_loads_and_other_files_stay_as_they_are() -> None:
    import _ctypes  # noqa: PLC0415

    library = Path(_ctypes.__file__)
    assert is_elf(library)
    assert 0 < len(loaded_part(library.read_bytes())) <= library.stat().st_size
    assert loaded_part(b"\x7fEL no") == b"\x7fEL no"
