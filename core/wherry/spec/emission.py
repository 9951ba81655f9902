"""Plain data as YAML that every reader of Kubernetes documents takes for the same data: `load(dump(data)) == data`."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable

import yaml

from wherry.spec.document import resolve

_PLAIN = re.compile(r"(?:--)?[A-Za-z_/][\w./@-]*(?::[\w./@-]+)*|[0-9]{1,9}(?:[KMG]i|m)", re.ASCII)
"""What no version of YAML reads as anything but a scalar."""
_TEXT = "tag:yaml.org,2002:str"


class _Dumper(yaml.SafeDumper):
    """Repeats what is there twice: an alias is for people who write."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002  PyYAML's signature
        return True


def dump(documents: Iterable[object]) -> str:
    """One text; the order of mappings is kept."""
    return yaml.dump_all(documents, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=sys.maxsize)


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    """Quoted wherever some reader would take it for a number, a boolean or a time."""
    is_plain = _PLAIN.fullmatch(value) and isinstance(resolve(value), str)
    style = "" if is_plain else "'" if value.isprintable() else '"'
    return dumper.represent_scalar(_TEXT, value, style=style or None)


_Dumper.add_representer(str, _text)
