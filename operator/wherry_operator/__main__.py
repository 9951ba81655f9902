"""`python -m wherry_operator`: everything it needs to know is in its environment."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import replace

from wherry.cluster import logs
from wherry.errors import WherryError
from wherry_operator import settings
from wherry_operator.operation import operate

CANNOT_START = 2


def main() -> int:
    """The process's exit code."""
    try:
        chosen = settings.load(os.environ)
        logs.start(chosen.log_format, chosen.log_level)
        named = replace(chosen, identity=chosen.identity or f"{os.uname().nodename}-{os.getpid()}")
        asyncio.run(operate(named, os.environ))
    except WherryError as error:
        sys.stderr.write(f"{error}\n")
        return CANNOT_START
    return 0


if __name__ == "__main__":
    sys.exit(main())
