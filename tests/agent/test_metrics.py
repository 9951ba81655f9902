"""Counters of guests, from the files that workers write to the page that Prometheus reads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from wherry.engine.metering import Counters, create
from wherry_agent.ledger import LONGEST, Ledger
from wherry_agent.node_metrics import NodeState, cache_size, node_page
from wherry_agent.pods import Pods

STATE = NodeState(
    node="n1",
    installed="0.1-abc",
    zygote=True,
    marked=False,
    pods=1,
    cache_files=2,
    cache_bytes=4096,
    attempts={"succeeded": 1},
)


def pod(uid: str, app: str = "cart") -> dict[str, Any]:
    labels = {"wherry.dev/app": app} if app else {}
    return {"metadata": {"namespace": "shop", "name": f"{app}-{uid}", "uid": uid, "labels": labels}}


class Scene:
    def __init__(self, state: Path, stack: ExitStack) -> None:
        self.state, self.stack, self.now, self.pods = state, stack, 0.0, Pods()
        self.ledger = Ledger(state, self.pods, lambda: self.now)

    def container(self, uid: str, name: str = "app") -> Counters:
        """As the shim opens it and a worker fills it."""
        (self.state / uid).mkdir(exist_ok=True)
        return self.stack.enter_context(closing(create(self.state / uid / f"{name}.metrics", 1)))

    def requests(self) -> dict[str, int]:
        return {meter.pod.name: meter.total["requests_2xx"] for meter in self.ledger.show()}


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with ExitStack() as stack:
        yield Scene(tmp_path, stack)


def test_each_container_is_counted_under_its_pod_and_app(scene: Scene) -> None:
    scene.pods.put(pod("u1"))
    scene.container("u1").slots[0].add("requests_2xx", 3)
    text = node_page(STATE, scene.ledger.show()).decode()
    labels = 'namespace="shop",pod="cart-u1",container="app",app="cart"'
    assert f'wherry_requests_total{{{labels},class="2xx"}} 3' in text.splitlines()
    assert f'wherry_request_seconds_bucket{{{labels},le="+Inf"}} 0' in text.splitlines()


def test_every_name_is_told_of_once_whatever_runs(scene: Scene) -> None:
    for uid in ("u1", "u2"):
        scene.pods.put(pod(uid))
        scene.container(uid)
    lines = node_page(STATE, scene.ledger.show()).decode().splitlines()
    heads = [line for line in lines if line.startswith("# TYPE")]
    assert len(heads) == len(set(heads))
    assert "# TYPE wherry_requests_total counter" in heads


def test_the_nodes_own_state_is_on_the_page() -> None:
    lines = node_page(STATE, ()).decode().splitlines()
    assert 'wherry_node_installed{node="n1",version="0.1-abc"} 1' in lines
    assert 'wherry_node_zygote_up{node="n1"} 1' in lines
    assert 'wherry_node_ready{node="n1"} 0' in lines
    assert 'wherry_node_installs_total{node="n1",outcome="succeeded"} 1' in lines


def test_what_a_container_used_last_is_scraped_after_it_is_gone_and_then_forgotten(scene: Scene) -> None:
    scene.pods.put(pod("u1"))
    slot = scene.container("u1").slots[0]
    slot.add("requests_2xx", 5)
    slot.add("in_flight", 1)
    scene.ledger.sample()
    (scene.state / "u1/app.metrics").unlink()
    scene.pods.remove(pod("u1"))
    (last,) = scene.ledger.show()
    assert (last.total["requests_2xx"], last.total["in_flight"]) == (5, 0)
    assert scene.requests() == {}


def test_nobody_has_to_scrape(scene: Scene) -> None:
    scene.pods.put(pod("u1"))
    scene.container("u1")
    scene.ledger.sample()
    (scene.state / "u1/app.metrics").unlink()
    scene.ledger.sample()
    scene.now = LONGEST + 1
    scene.ledger.sample()
    assert scene.requests() == {}


def test_a_pod_is_counted_as_soon_as_the_api_server_has_told_of_it(scene: Scene) -> None:
    scene.container("u1").slots[0].add("requests_2xx", 1)
    assert scene.requests() == {}
    scene.pods.put(pod("u1"))
    assert scene.requests() == {"cart-u1": 1}


def test_a_file_that_is_not_made_up_yet_or_of_another_version_is_left_out(scene: Scene) -> None:
    for uid, content in (("u1", b""), ("u2", b"x" * 5000)):
        scene.pods.put(pod(uid))
        (scene.state / uid).mkdir()
        (scene.state / uid / "app.metrics").write_bytes(content)
    assert scene.requests() == {}


def test_the_size_of_the_cache_is_that_on_the_disk(tmp_path: Path) -> None:
    (tmp_path / "aot/ab").mkdir(parents=True)
    (tmp_path / "aot/ab/one.cwasm").write_bytes(b"x" * 5000)
    (tmp_path / "aot/ab/one.seal").write_bytes(b"x")
    files, size = cache_size(tmp_path)
    assert files == 1
    assert size >= 5000
    assert cache_size(tmp_path / "absent") == (0, 0)
