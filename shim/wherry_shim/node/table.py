"""containerd's runtime table for Wherry, as text: configuration in, configuration out (CONTRACTS §4 and §7).

The table is written in the version that the node's main file declares: containerd 2.0 merges files first and migrates
them afterwards, and a table of another version would hide the main file's own runtimes. containerd 2 reads it from a
drop-in file. On 1.7 it is a marked block in the main file, because a file that is imported there replaces the whole
section of the CRI plugin.

SystemdCgroup is no option of this runtime. The kubelet's driver decides the form of cgroupsPath in config.json
(`slice:prefix:name`), and the shim reads that.
"""

from __future__ import annotations

import json
import posixpath
import re
import tomllib
from collections.abc import Mapping
from pathlib import PurePosixPath

from wherry_shim.node.fault import NodeError
from wherry_shim.node.toml_text import Statement, Token, newline, string, tokens, top_level
from wherry_shim.node.toml_text import statements as all_statements

HANDLER = "wherry"
LAUNCHER = "containerd-shim-wherry-v1"
OLDEST_DECLARED = 2
LATEST = 3

_PLUGIN = {0: "cri", 1: "cri", 2: "io.containerd.grpc.v1.cri", 3: "io.containerd.cri.v1.runtime"}
_FIRST = "# >>> wherry-node wrote this; `wherry-node uninstall` removes it"
_LAST = "# <<< wherry-node"
_BLOCK = re.compile(rf"^{re.escape(_FIRST)}\r?\n.*?^{re.escape(_LAST)}(?:\r?\n|\Z)", re.MULTILINE | re.DOTALL)
_OURS = "  # wherry-node"

Document = Mapping[str, object]
Runtimes = Mapping[str, Mapping[str, object]]
"""Options by handler."""
_NONE: Runtimes = {}


def parse(text: str, where: str) -> Document:
    """The document. Raises NodeError that names the file, the line and the column."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise NodeError(f"{where}: {error}, expected TOML 1.0", cure=f"mend {where} first") from None


def declared_version(main: Document) -> int:
    """The version that a main file declares; 0 when it has no such line."""
    version = main.get("version", 0)
    return version if isinstance(version, int) else 0


def runtime(prefix: str) -> dict[str, object]:
    """The runtime's options. The path spares a link in containerd's PATH, which is read-only on some systems."""
    return {
        "runtime_type": "io.containerd.wherry.v1",
        "runtime_path": f"{prefix}/current/bin/{LAUNCHER}",
        "pod_annotations": ["plan.wherry.dev/*"],
        "container_annotations": ["io.kubernetes.container.*"],
    }


def runtime_key(version: int) -> tuple[str, ...]:
    """Where the table is in a document of this version; versions above 3 have it where 3 has it."""
    return ("plugins", _PLUGIN[min(version, LATEST)], "containerd", "runtimes", HANDLER)


def drop_in(version: int, prefix: str) -> str:
    """The whole drop-in file for a main file of this version (2 and up, 0 for none declared)."""
    # Declared in any case: containerd 2.0 to 2.2 do not read a table of a file without the line.
    declared = min(version, LATEST) or OLDEST_DECLARED
    return f"{_FIRST}\nversion = {declared}\n\n{_table(declared, HANDLER, runtime(prefix))}"


def with_block(main: str, where: str, version: int, prefix: str, defaults: Runtimes = _NONE) -> str:
    """The main file with our table as a marked block at its end; an older block of ours is replaced.

    defaults: the runtimes that containerd has without the file. containerd 1.7 forgets them as soon as a file names
    any runtime, so they are written into the block when the file names none.
    Raises NodeError when the file has the handler already, with other options, or cannot take another table.
    """
    bare, key = without_block(main), runtime_key(version)
    before = parse(bare, where)
    if (theirs := _at(before, key)) is not None:
        _refuse_another(theirs, prefix, where)
        return bare
    named = _at(before, key[:-1])
    kept = {} if named else _spoken(defaults)
    after = append_block(bare, version, prefix, kept)
    expected = {**(named if isinstance(named, Mapping) else {}), **kept, HANDLER: runtime(prefix)}
    if _understood(after) != _with(before, key[:-1], expected):
        cure = f"write [{_dotted(key)}] by hand, and run this again"
        raise NodeError(f"{where}: a table {_dotted(key)} cannot be added at its end", cure=cure)
    return after


def append_block(text: str, version: int, prefix: str, kept: Runtimes = _NONE) -> str:
    """The text with our block after it, in its own line ends. For templates, which are no TOML yet."""
    end = newline(text)
    tables = [_table(version, name, options) for name, options in {**kept, HANDLER: runtime(prefix)}.items()]
    block = f"{_FIRST}\n{''.join(tables)}{_LAST}\n".replace("\n", end)
    return text + ("" if not text or text.endswith("\n") else end) + block


def without_block(text: str) -> str:
    """The text without our block; unchanged when it has none."""
    return _BLOCK.sub("", text)


def with_import(main: str, where: str, path: str) -> str:
    """The main file that imports the file at path; unchanged when it does so already. where: its own path.

    By a pattern that finds nothing else: containerd does not start when a file is missing that is imported by its name.
    Raises NodeError when `imports` is not a list of strings.
    """
    before = parse(main, where)
    imports = _imports(before, where)
    if any(_covers(pattern, where, path) for pattern in imports):
        return main
    after = _add_import(main, pattern(path))
    if parse(after, where) != {**before, "imports": [*imports, pattern(path)]}:
        raise NodeError(f"{where}: cannot add to `imports`", cure=f"add {pattern(path)} to `imports` by hand")
    return after


def check_runtime(main: str, where: str, version: int, prefix: str) -> None:
    """Raises NodeError when the main file has our handler with an option that a drop-in would silently change."""
    theirs = _at(parse(main, where), runtime_key(version or OLDEST_DECLARED))
    if isinstance(theirs, Mapping) and not theirs.items() <= runtime(prefix).items():
        _refuse_another(theirs, prefix, where)


def without_import(main: str, where: str, path: str) -> str:
    """The main file without this import, and without the line if we wrote it and it is empty now."""
    if pattern(path) not in _imports(parse(main, where), where):
        return main
    statement = _find(main, "imports")
    assert statement is not None  # noqa: S101  the parser has seen it
    strings = [token for token in tokens(main, statement.value, statement.end) if token.kind == "string"]
    if len(strings) == 1 and main.startswith(_OURS, statement.end):
        line_end = main.find("\n", statement.end) + 1 or len(main)
        return main[: statement.start] + main[line_end:]
    return _cut_string(main, statement, pattern(path))


def pattern(path: str) -> str:
    """What finds the file at path where it is, and is no fault where it is not."""
    stem, _, suffix = path.rpartition(".")
    return f"{stem}*.{suffix}"


def _understood(text: str) -> Document | None:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None


def _table(version: int, handler: str, options: Mapping[str, object]) -> str:
    *path, _ = runtime_key(version)
    return _lines((*path, handler), options)


def _lines(key: tuple[str, ...], options: Mapping[str, object]) -> str:
    own = {name: value for name, value in options.items() if not isinstance(value, Mapping)}
    lines = [f"[{_dotted(key)}]", *(f"  {name} = {_value(value)}" for name, value in own.items()), ""]
    inner = [_lines((*key, name), value) for name, value in options.items() if isinstance(value, Mapping)]
    return "\n".join(lines) + "".join(inner)


def _value(value: object) -> str:
    """Strings, numbers, booleans and lists of them are written alike in JSON and TOML."""
    return json.dumps(value)


def _spoken(runtimes: Runtimes) -> dict[str, dict[str, object]]:
    """Without our own, and without options that say what their absence says."""
    return {name: _filled(options) for name, options in runtimes.items() if name != HANDLER}


def _filled(options: Mapping[str, object]) -> dict[str, object]:
    kept = {name: _filled(value) if isinstance(value, Mapping) else value for name, value in options.items()}
    return {name: value for name, value in kept.items() if value}


def _dotted(key: tuple[str, ...]) -> str:
    return ".".join(f'"{part}"' if "." in part else part for part in key)


def _refuse_another(theirs: object, prefix: str, where: str) -> None:
    if theirs != runtime(prefix):
        raise NodeError(
            f"{where}: the handler {HANDLER!r} is there with other options, expected none or ours",
            cure=f"remove that table, or make it {runtime(prefix)}",
        )


def _at(document: object, key: tuple[str, ...]) -> object:
    for part in key:
        if not isinstance(document, Mapping) or part not in document:
            return None
        document = document[part]
    return document


def _with(document: object, key: tuple[str, ...], value: object) -> object:
    if not key:
        return value
    inner = dict(document) if isinstance(document, Mapping) else {}
    inner[key[0]] = _with(inner.get(key[0]), key[1:], value)
    return inner


def _imports(main: Document, where: str) -> list[str]:
    imports = main.get("imports", [])
    if isinstance(imports, list) and all(isinstance(each, str) for each in imports):
        return imports
    raise NodeError(f"{where}: `imports` is {imports!r}, expected a list of paths", cure=f"mend {where} first")


def _covers(pattern: str, importer: str, path: str) -> bool:
    """Whether containerd finds path by this entry: relative to the importer's folder, `*` within one name."""
    absolute = posixpath.normpath(posixpath.join(posixpath.dirname(importer), pattern))
    return PurePosixPath(path).match(absolute) if "*" in absolute else absolute == path


def _find(text: str, key: str) -> Statement | None:
    return next((statement for statement in top_level(text) if statement.key == (key,)), None)


def _add_import(main: str, path: str) -> str:
    if statement := _find(main, "imports"):
        return _insert_string(main, statement, path)
    end = newline(main)
    line = f'imports = ["{path}"]{_OURS}{end}'
    if version := _find(main, "version"):
        after = main.find("\n", version.end) + 1
        return main[:after] + line + main[after:] if after else main + end + line
    first = next((statement.start for statement in all_statements(main)), len(main))
    start = main.rfind("\n", 0, first) + 1
    return main[:start] + line + main[start:]


def _insert_string(text: str, array: Statement, added: str) -> str:
    pieces = list(tokens(text, array.value, array.end))
    strings = [piece for piece in pieces if piece.kind == "string"]
    position, entry = (strings[-1].end, f', "{added}"') if strings else (pieces[0].end, f'"{added}"')
    return text[:position] + entry + text[position:]


def _cut_string(text: str, array: Statement, removed: str) -> str:
    pieces = [piece for piece in tokens(text, array.value, array.end) if piece.kind in {"string", "comma"}]
    index = next(i for i, piece in enumerate(pieces) if piece.kind == "string" and _is(text, piece, removed))
    start, end = pieces[index].start, pieces[index].end
    if index:
        start = pieces[index - 1].start
    elif len(pieces) > 1:
        end = pieces[2].start if len(pieces) > 2 else pieces[1].end
    return text[:start] + text[end:]


def _is(text: str, piece: Token, value: str) -> bool:
    return string(text[piece.start : piece.end]) == value
