"""The self-contained tree: an interpreter, its libraries down to libc and the dynamic loader, and Wherry.

    bin/python                      a script that starts the interpreter with the tree's own loader and libraries
    bin/python3.12                  the interpreter; it cannot be started without them
    bin/containerd-shim-wherry-v1   what containerd starts
    lib/*.so*                       libraries and loader
    lib/python3.12/                 standard library, and site-packages in it
    manifest.json                   digests of all that

It needs nothing of the system but /bin/sh: a node may have another libc, or none. All byte code is compiled ahead,
and nothing is ever written to the tree again.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from importlib import metadata, resources
from pathlib import Path, PurePath

from wherry_shim.node import distributions, interpreter, manifest
from wherry_shim.node.fault import NodeError
from wherry_shim.node.interpreter import Piece, library
from wherry_shim.node.libraries import Loader, is_elf, loaded_part
from wherry_shim.node.libraries import interpreter as loader_of
from wherry_shim.node.manifest import Manifest
from wherry_shim.node.table import LAUNCHER

Report = Callable[[str], None]
_LAUNCHER = resources.files("wherry_shim") / "launcher" / LAUNCHER

# -B: what was not compiled ahead is not compiled at all. -s: no packages of a user. PYTHONHOME and PYTHONPATH are of
# another Python, if of any. Outbound HTTPS trusts the tree's authorities unless the unit says otherwise.
_PYTHON = """\
#!/bin/sh
tree=$(CDPATH= cd -P "${{0%/*}}/.." && pwd) || exit 126
unset PYTHONHOME PYTHONPATH
[ -r "$SSL_CERT_FILE" ] || export SSL_CERT_FILE="$tree/{certificates}"
exec "$tree/lib/{loader}" --inhibit-cache --library-path "$tree/lib" --argv0 "$tree/bin/python" \\
  "$tree/bin/{program}" -B -s "$@"
"""

_SITE = '''\
"""Some systems' Python looks for packages elsewhere; in this tree they have one place."""

import os
import sys

_packages = os.path.join(os.path.dirname(os.__file__), "site-packages")
if _packages not in sys.path:
    sys.path.append(_packages)
'''


def build(root: Path, final: Callable[[Manifest], Path], report: Report = lambda _: None) -> Manifest:
    """Put a tree into the empty folder root. final: where it will be moved to, which tracebacks name.

    Raises NodeError when this Python has not all that is needed, OSError.
    """
    version = metadata.version(distributions.ROOT)
    if (Path(sys.prefix) / manifest.FILE).exists():
        _copy(_of_this_tree(Path(sys.prefix)), root)
    else:
        _assemble(root, report)
    final_place = final(manifest.take(root, version))
    report("compiling byte code")
    _compile(root, final_place)
    listed = manifest.take(root, version)
    (root / manifest.FILE).write_text(listed.json())
    return listed


def _assemble(root: Path, report: Report) -> None:
    program = interpreter.program()
    loader = Loader(loader_of(program))
    loader.check()
    report(f"copying Python {interpreter.VERSION} and its standard library")
    _copy(interpreter.standard_library(), root)
    needed = distributions.needed()
    report(f"copying {', '.join(each.name for each in needed)}")
    for distribution in needed:
        _copy(distributions.pieces(distribution), root)
    binaries = root / "bin"
    _copy([Piece(program, PurePath("bin", f"python{interpreter.VERSION}"))], root)
    report("copying shared libraries")
    _copy(_libraries(loader, [program, *_elf_files(root)], root), root)
    _write_scripts(root, binaries, loader.path.name)


def _of_this_tree(prefix: Path) -> Iterator[Piece]:
    names = manifest.read(prefix).files
    return (Piece(prefix / name, PurePath(name)) for name in names if not name.endswith(".pyc"))


def _copy(pieces: Iterable[Piece], root: Path) -> None:
    for piece in pieces:
        target = root / piece.target
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(loaded_part(piece.source.read_bytes()))
        target.chmod(0o755 if piece.source.stat().st_mode & 0o100 else 0o644)


def _elf_files(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("*.so*") if path.is_file() and is_elf(path))


def _libraries(loader: Loader, files: Iterable[Path], root: Path) -> Iterator[Piece]:
    """Every library that is needed and not in the tree already, where a wheel brings its own."""
    found = {loader.path.name: loader.path}
    for file in files:
        found |= {name: path for name, path in loader.needed(file).items() if root not in path.parents}
    return (Piece(path, PurePath("lib", name)) for name, path in sorted(found.items()))


def _write_scripts(root: Path, binaries: Path, loader: str) -> None:
    (root / library() / "sitecustomize.py").write_text(_SITE)
    program = f"python{interpreter.VERSION}"
    certificates = library() / "site-packages" / "certifi" / "cacert.pem"
    _write(binaries / "python", _PYTHON.format(loader=loader, program=program, certificates=certificates))
    _write(binaries / LAUNCHER, _LAUNCHER.read_text())


def _write(script: Path, text: str) -> None:
    script.write_text(text)
    script.chmod(0o755)


def _compile(root: Path, final: Path) -> None:
    """By the tree itself: if it cannot, it is of no use. The hash is not checked, so that no clock is."""
    command = [str(root / "bin" / "python"), "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    places = ["-s", str(root), "-p", str(final), str(root / library())]
    done = subprocess.run([*command, *places], capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise NodeError(f"the tree's own Python failed: {said[-1] if said else done.returncode}")
