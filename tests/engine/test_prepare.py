"""What is found out before anything is compiled."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import guests
from tests.support.commands import wasm_file
from wherry.engine.host import Host
from wherry.engine.prepare import prepare
from wherry.errors import StartError
from wherry.plan.model import Limits, Run, RunPlan

TWO_MIB = """(module (memory (export "memory") 32) (func (export "_start")))"""


@pytest.mark.parametrize("run", ["command", "http"])
def test_a_module_that_begins_with_more_than_its_limit_is_refused_before_it_is_compiled(
    tmp_path: Path, run: Run
) -> None:
    plan = RunPlan(run, wasm_file(guests.wat(TWO_MIB)), port=8080, limits=Limits(memory=1 << 20))
    with pytest.raises(StartError) as refused:
        prepare(plan, Host(cache=tmp_path))
    assert refused.value.reason == "memory"
    assert "begins with 2 MiB, expected at most the 1 MiB of limits.memory" in str(refused.value)
    assert refused.value.cure == "raise limits.memory"
    assert not list(tmp_path.rglob("*.cwasm"))
    allowed = RunPlan(run, plan.wasm, port=8080, limits=Limits(memory=2 << 20))
    assert prepare(allowed, Host(cache=tmp_path)).build.lifted == (run == "http")
