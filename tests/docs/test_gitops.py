"""What docs/gitops.md gives to Argo CD tells a WasmApp's health as its status does."""

from __future__ import annotations

from typing import Any

import lupa
import pytest
import yaml

from tests.architecture.tree import ROOT
from tests.docs.blocks import blocks

PAGE = ROOT / "docs" / "gitops.md"
KEY = "resource.customizations.health.wherry.dev_WasmApp"


def script() -> str:
    (text,) = [block.text for block in blocks(PAGE) if KEY in block.text]
    found: str = yaml.safe_load(text)["data"][KEY]
    return found


def health(generation: int, ready: tuple[str, str] | None) -> str:
    """By the script, of an app whose first generation was seen. ready: status and reason of the condition."""
    conditions = [] if ready is None else [{"type": "Ready", "status": ready[0], "reason": ready[1], "message": "why"}]
    app: dict[str, Any] = {
        "metadata": {"generation": generation},
        "status": {"observedGeneration": 1, "conditions": conditions},
    }
    lua = lupa.LuaRuntime()
    lua.globals()["obj"] = lua.table_from(app, recursive=True)
    found: str = lua.execute(script())["status"]
    return found


@pytest.mark.parametrize(
    ("generation", "ready", "expected"),
    [
        (1, ("True", "Ready"), "Healthy"),
        (1, ("False", "RollingOut"), "Progressing"),
        (1, ("False", "Starting"), "Progressing"),
        (1, ("False", "SignatureRefused"), "Degraded"),
        (1, None, "Progressing"),
        (2, ("True", "Ready"), "Progressing"),
    ],
)
def test_argo_cd_is_told_the_health_of_an_app(generation: int, ready: tuple[str, str] | None, expected: str) -> None:
    assert health(generation, ready) == expected
