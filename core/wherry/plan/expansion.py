"""$(NAME) in arguments and values, as the kubelet expands it: `$$` is a dollar, an unknown name stays as it is written.

https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_REFERENCE = re.compile(r"\$\$|\$\(([^)]*)\)")


def expand(text: str, known: Mapping[str, str]) -> str:
    return _REFERENCE.sub(lambda match: _meaning(match, known), text)


def _meaning(match: re.Match[str], known: Mapping[str, str]) -> str:
    return "$" if match[1] is None else known.get(match[1], match[0])
