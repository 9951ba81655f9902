"""What the chart renders, as files that a reviewer reads: all of it with its own values, and of others what differs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

from tests.chart.helm import CRD, Manifest, Name, cases, objects

GOLDEN = Path(__file__).parent / "golden"
DEFAULT = "default"
DASHBOARDS = "wherry-dashboards"


def written(manifests: dict[Name, Manifest]) -> str:
    """Ordered by name: helm's own order is its own affair."""
    return "---\n".join(yaml.safe_dump(manifests[name], sort_keys=False, width=120) for name in sorted(manifests))


def rendered(*options: str | Path) -> dict[Name, Manifest]:
    """Without the definition and the dashboards, which are compared with what they are generated from."""
    found = {Name.of(each): each for each in objects(*options) if each["kind"] != CRD}
    return {name: _told(each) for name, each in found.items()}


def _told(manifest: Manifest) -> Manifest:
    if manifest["metadata"]["name"] != DASHBOARDS:
        return manifest
    return manifest | {"data": dict.fromkeys(manifest["data"], "generated")}


def compare(name: str, text: str) -> None:
    path = GOLDEN / f"{name}.yaml"
    if os.environ.get("WRITE_GOLDEN"):
        path.write_text(text)
    assert path.read_text() == text, "WRITE_GOLDEN=1 writes it anew"


def test_the_chart_renders_what_was_reviewed() -> None:
    compare(DEFAULT, written(rendered()))


@pytest.mark.parametrize("values", cases(), ids=lambda path: path.stem)
def test_values_change_what_was_reviewed_and_nothing_else(values: Path) -> None:
    usual, other = rendered(), rendered("--values", values)
    gone = [f"# without {name}\n" for name in sorted(usual.keys() - other.keys())]
    changed = {name: each for name, each in other.items() if usual.get(name) != each}
    compare(values.stem, "".join(gone) + written(changed))
    assert gone or changed


def test_no_golden_file_is_left_over() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == {DEFAULT, *(path.stem for path in cases())}
