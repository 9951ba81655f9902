"""Pods that come and go leave nothing. `python -m tests.node.churn 3000` is the long form."""

from __future__ import annotations

import pytest

from tests.node.churn import churn, differences
from tests.support.containerd import Containerd
from tests.support.workloads import side

pytestmark = [pytest.mark.peer, pytest.mark.slow]


@pytest.mark.parametrize(("handler", "count"), [("runc", 20), ("wherry", 200)])
def test_a_node_is_as_it_was_when_many_pods_have_come_and_gone(node: Containerd, handler: str, count: int) -> None:
    node.start_zygote()
    before, after = churn(node, side(handler), count)
    assert len(before.traces) > 5
    assert differences(before, after) == []
