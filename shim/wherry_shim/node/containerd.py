"""The node's own containerd: where it is, what it makes of its configuration, and how our table gets into it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from wherry_shim.node import dump, table
from wherry_shim.node.changes import Changes, Cut
from wherry_shim.node.fault import NodeError
from wherry_shim.node.host import Host
from wherry_shim.node.kubernetes import Distribution, distribution, template
from wherry_shim.node.table import Document

_VERSION = re.compile(r"\bv?(\d+)\.(\d+)\.\d+")
_CONFIG_FLAG = re.compile(r"\s(?:--config|-c)[ =](/[^\s;]+)")
_CONTENT = "/var/lib/containerd/io.containerd.content.v1.content"
_NEW_MAIN = "version = 2\n"
"""A main file where there was none: every containerd since 1.3 reads this version."""


@dataclass(frozen=True)
class Edit:
    """One file that is to say `text`. cut: takes our part out of it again. whole: all of it is ours."""

    path: str
    text: str
    cut: Cut
    whole: bool = False


@dataclass(frozen=True)
class Containerd:
    """program and config: paths on the node. unit: the service that runs it."""

    host: Host
    kubernetes: Distribution
    program: str
    config: str
    unit: str
    version: tuple[int, int]

    @property
    def socket(self) -> str:
        return self.kubernetes.socket

    @cached_property
    def _template(self) -> tuple[int, str] | None:
        return template(self.host, self.kubernetes, self.version[0])

    def dump(self) -> Document:
        """What it makes of its files now. Raises NodeError with its own words when it cannot read them."""
        return self._dump(self.config)

    @cached_property
    def content(self) -> str:
        """The folder of its content store."""
        root = str(self.dump().get("root") or "/var/lib/containerd")
        return f"{root}/io.containerd.content.v1.content"

    def zygote_environment(self) -> dict[str, str]:
        """What the zygote cannot guess: where the content store is, and a runc that is not in a service's PATH."""
        found = {} if self.content == _CONTENT else {"WHERRY_CONTENT": self.content}
        if self.host.program("runc") is None:
            runc = self.host.first([f"{folder}/runc" for folder in self.kubernetes.binaries])
            found |= {"WHERRY_RUNC": runc} if runc else {}
        return found

    def edits(self, prefix: str) -> list[Edit]:
        """What the files must say, so that it has our runtime. Raises NodeError when that cannot be."""
        if self._template:
            return [self._template_edit(prefix, *self._template)]
        main = self.cut(self.config)(self.read(self.config)) or _NEW_MAIN
        declared = table.declared_version(table.parse(main, self.config))
        if self.version < (2, 0):
            defaults = dump.handlers(self.dump())
            text = table.with_block(main, self.config, declared, prefix, defaults)
            return [Edit(self.config, text, self._without_ours)]
        table.check_runtime(main, self.config, declared, prefix)
        return [
            Edit(self._drop_in, table.drop_in(declared, prefix), table.without_block, whole=True),
            Edit(self.config, table.with_import(main, self.config, self._drop_in), self._without_ours),
        ]

    def cut(self, path: str) -> Cut:
        """What takes our part out of this file, whichever containerd it was written for."""
        return self._without_ours if path == self.config else table.without_block

    def apply(self, edits: list[Edit], changes: Changes) -> None:
        """Write the files, and let containerd read them before it has to. Raises NodeError when it reads them wrong.

        The files are then as they should not stay: the caller puts them back.
        """
        if not edits:
            return
        before = self.dump()
        for edit in edits:
            changes.write(edit.path, edit.text, edit.cut)
        after = self._rendered(edits) if self._template else self.dump()
        if strange := dump.strange_changes(before, after):
            raise NodeError(f"{self.config}: containerd would read other values at {', '.join(strange[:5])}")
        if table.HANDLER not in dump.handlers(after):
            raise NodeError(f"{self.config}: containerd does not see the runtime {table.HANDLER!r} in it")

    def read(self, path: str) -> str:
        """A file's text; empty when there is none. Raises NodeError for one that is not UTF-8."""
        try:
            return self.host.at(path).read_bytes().decode()
        except FileNotFoundError:
            return ""
        except UnicodeDecodeError as error:
            raise NodeError(f"{path}: {error}, expected UTF-8", cure=f"mend {path} first") from None

    @property
    def _drop_in(self) -> str:
        return f"{self.config.rpartition('/')[0]}/conf.d/{table.HANDLER}.toml"

    def _without_ours(self, main: str) -> str:
        return table.without_import(table.without_block(main), self.config, self._drop_in)

    def _dump(self, config: str) -> Document:
        exists = self.host.has(config)
        arguments = ("--config", config, "config", "dump") if exists else ("config", "default")
        return table.parse(self.host.run(self.program, *arguments), f"what {self.program} makes of {config}")

    def _template_edit(self, prefix: str, version: int, path: str) -> Edit:
        text = table.without_block(self.read(path) or self.kubernetes.base)
        if not text:
            raise NodeError(f"{path} is not there or empty, expected {self.kubernetes.name}'s template")
        return Edit(path, table.append_block(text, version, prefix), table.without_block)

    def _rendered(self, edits: list[Edit]) -> Document:
        """What the template will give, as far as that can be known: what it gave before, and our block after it."""
        candidate = f"{self.config}.wherry"
        file = self.host.at(candidate)
        bare = table.without_block(self.read(self.config))
        block = edits[0].text.removeprefix(edits[0].cut(edits[0].text))
        try:
            file.write_text(f"{bare}\n{block}")
            return self._dump(candidate)
        finally:
            file.unlink(missing_ok=True)


def containerd(host: Host, unit_of: str | None = None) -> Containerd:
    """The containerd of this node. unit_of: the ExecStart of its service, which may name another configuration.

    Raises NodeError when there is none, or one that cannot be used.
    """
    found = distribution(host)
    program = host.first([f"{folder}/containerd" for folder in found.binaries])
    if program is None:
        raise NodeError(
            f"no containerd in {', '.join(found.binaries)} below {host.root}",
            cure="give the node's root with --root; other container runtimes cannot run Wherry",
        )
    said = host.run(program, "--version")
    if (version := _VERSION.search(said)) is None or (major_minor := (int(version[1]), int(version[2]))) < (1, 6):
        raise NodeError(f"{program} says it is {said.strip()!r}, expected containerd 1.6 or later")
    named = _CONFIG_FLAG.search(unit_of or "")
    config = named[1] if named and not found.templates else found.config
    unit = next((unit for unit in found.units if host.first(_unit_files(unit))), found.units[0])
    return Containerd(host, found, program, config, unit, major_minor)


def _unit_files(unit: str) -> list[str]:
    return [f"{folder}/systemd/system/{unit}" for folder in ("/etc", "/run", "/usr/local/lib", "/usr/lib", "/lib")]
