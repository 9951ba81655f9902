"""`python -m bench NAME [--quick]`: measure, print, and write bench/results/NAME.json and NAME.png."""

from __future__ import annotations

import argparse
import importlib

from bench.report import publish

NAMES = (
    "serve", "reuse", "command", "inprocess", "native", "memory", "node", "pod_memory", "launcher",
    "operator_scale", "watched", "images", "cluster",
)  # fmt: skip


def main() -> None:
    arguments = argparse.ArgumentParser(prog="bench")
    arguments.add_argument("name", choices=NAMES)
    arguments.add_argument("--quick", action="store_true", help="within a minute; the result is not kept")
    given = arguments.parse_args()
    benchmark = importlib.import_module(f"bench.{given.name}")
    rows = benchmark.measure(given.quick)
    versions: dict[str, str] = getattr(benchmark, "versions", dict)()
    publish(given.name, benchmark.TITLE, rows, given.quick, versions)


if __name__ == "__main__":
    main()
