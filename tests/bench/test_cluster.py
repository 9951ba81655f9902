"""What the benchmark on a cluster applies, and how it reads what nodes say."""

from __future__ import annotations

import copy
import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from bench.cluster import asking, nodes, programs
from bench.cluster.journal import Start, starts
from bench.cluster.sides import Side, as_it_is, contained
from bench.cluster.watch import is_rolled_out
from tests.e2e.programs import HELLO
from tests.render.cases import artifact_of
from wherry.oci.digest import digest_of
from wherry.spec.parse import parse
from wherry.wasm.inspect import inspect
from wherry_operator.desired.context import Context
from wherry_operator.desired.render import render

SPEC: dict[str, Any] = {"replicas": 3, "service": {"type": "NodePort"}, "podTemplate": {"spec": {"nodeName": "one"}}}
POD, OTHER = "1f8a2c34-0d5e-4b6f-8a7b-9c0d1e2f3a4b", "2f8a2c34-0d5e-4b6f-8a7b-9c0d1e2f3a4b"
SANDBOX, CONTAINER = "a" * 64, "b" * 64


def rendered(app: dict[str, Any]) -> list[dict[str, Any]]:
    (parsed,) = parse(json.dumps(app), "test")
    objects: list[dict[str, Any]] = json.loads(json.dumps(render(parsed, artifact_of(parsed, {}), Context())))
    return objects


def without_what_differs(objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """RuntimeClass, image, command, and everybody's labels and annotations."""
    left = copy.deepcopy(objects)
    for each in left:
        del each["metadata"], each["spec"]["selector"]
        if pods := each["spec"].get("template", {}).get("spec"):
            del each["spec"]["template"]["metadata"], pods["runtimeClassName"], pods["containers"][0]["image"]
            pods["containers"][0].pop("command", None)
            for spread in pods.get("topologySpreadConstraints", ()):
                del spread["labelSelector"]
    return left


@pytest.mark.parametrize("more", [{}, {"scope": "everyNode", "replicas": 1}])
def test_the_container_has_the_pod_of_the_app_but_for_what_runs_in_it(more: dict[str, Any]) -> None:
    side = Side("container", "registry.test/httpd:v1", lambda app: contained(app, "plain"))
    (app,) = Side("wherry", "registry.test/httpd:v1", as_it_is).app("hello", **SPEC | more)
    objects = side.app("hello", **SPEC | more)
    assert without_what_differs(objects) == without_what_differs(rendered(app))
    pods = objects[1]["spec"]["template"]["spec"]
    assert pods["runtimeClassName"] == "plain"
    assert [(each["image"], each.get("command")) for each in pods["containers"]] == [("registry.test/httpd:v1", None)]


def test_the_operator_is_not_asked_to_look_at_the_container() -> None:
    objects = Side("container", "registry.test/httpd:v1", lambda app: contained(app, "")).app("hello")
    assert "wherry" not in json.dumps(objects)
    assert "runtimeClassName" not in objects[1]["spec"]["template"]["spec"]
    labels = objects[1]["spec"]["template"]["metadata"]["labels"]
    assert objects[0]["spec"]["selector"] == objects[1]["spec"]["selector"]["matchLabels"] == labels


def line(second: str, said: str) -> str:
    return f'time="2026-11-27T20:00:{second}Z" level=info msg="{said}"\n'


METADATA = r"name:\"app-1-5c\"  uid:\"%s\"  namespace:\"bench\""
LOG = (
    line("01.250000000", f"RunPodSandbox for {METADATA % POD}")
    + line("01.300000000", f"RunPodSandbox for {METADATA % OTHER}")
    + 'time="2026-11-27T20:00:01.310000000Z" level=error msg="something else"\n'
    + line("01.500000123", rf"RunPodSandbox for {METADATA % POD} returns sandbox id \"{SANDBOX}\"")
    + line("01.600000000", rf"CreateContainer within sandbox \"{SANDBOX}\" for container name:\"app\"")
    + line(
        "01.700000000",
        rf"CreateContainer within sandbox \"{SANDBOX}\" for name:\"app\" returns container id \"{CONTAINER}\"",
    )
    + line("01.710000000", rf"StartContainer for \"{CONTAINER}\"")
    + line("01.750000000", rf"StartContainer for \"{CONTAINER}\" returns successfully")
)


def test_containerds_log_says_when_a_pod_was_asked_for_made_and_run() -> None:
    found = starts(LOG)
    assert found.keys() == {POD}, "the other has no container yet"
    start = found[POD]
    assert (start.made - start.asked, start.running - start.asked) == pytest.approx((0.25, 0.5))


def test_a_log_that_begins_in_the_middle_tells_of_no_pod() -> None:
    assert starts("".join(LOG.splitlines(keepends=True)[3:])) == {}


def test_times_are_those_of_the_log() -> None:
    assert starts(LOG)[POD] == Start(1795809601.25, 1795809601.5, 1795809601.75)


SIZES = """\
/proc/1/smaps_rollup:Pss:                5120 kB
/proc/30/smaps_rollup:Pss:                900 kB
/proc/31/smaps_rollup:Pss:                100 kB
/proc/32/smaps_rollup:Pss:                 50 kB
/proc/1/comm:systemd
/proc/30/comm:containerd-shim
/proc/31/comm:containerd-shim
/proc/40/comm:gone already
"""


def test_processes_of_one_name_are_added_up_and_a_nameless_one_counts() -> None:
    assert nodes.by_name(SIZES) == {"systemd": 5120, "containerd-shim": 1000, "": 50}


@pytest.mark.parametrize("said", ["1500000000\n", "usage_usec 1500000\nuser_usec 7\n"])
def test_both_versions_of_cgroups_say_what_was_computed(said: str) -> None:
    assert nodes.computed(said) == 1.5


def deployment(**status: int) -> dict[str, Any]:
    done = {"observedGeneration": 2, "replicas": 3, "updatedReplicas": 3, "availableReplicas": 3}
    return {"metadata": {"generation": 2}, "spec": {"replicas": 3}, "status": done | status}


@pytest.mark.parametrize(
    "status",
    [
        pytest.param({"observedGeneration": 1}, id="not heard of yet"),
        pytest.param({"replicas": 4}, id="an old one is there"),
        pytest.param({"updatedReplicas": 2}, id="a new one is missing"),
        pytest.param({"availableReplicas": 2}, id="one is not ready"),
    ],
)
def test_a_rollout_ends_when_all_pods_are_new_and_ready(status: dict[str, int]) -> None:
    assert is_rolled_out(deployment())
    assert not is_rolled_out(deployment(**status))


def test_a_marked_module_is_another_file_with_the_same_work(tmp_path: Path) -> None:
    plain = HELLO.read_bytes()
    first, second = (programs.module(tmp_path, mark).read_bytes() for mark in ("app-1", "app-2"))
    assert inspect(first).imports == inspect(plain).imports
    assert len({digest_of(each) for each in (plain, first, second)}) == 3


class Late(BaseHTTPRequestHandler):
    """Answers with 503 once, then with 200."""

    statuses: Iterator[int]

    def do_GET(self) -> None:
        self.send_response(next(self.statuses))
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


def test_a_probe_asks_until_there_is_a_200(capsys: pytest.CaptureFixture[str]) -> None:
    Late.statuses = iter([503, 200])
    with HTTPServer(("127.0.0.1", 0), Late) as server:
        threading.Thread(target=server.serve_forever).start()
        asking.ask("127.0.0.1", server.server_port, 0.001)
        server.shutdown()
    address, port, _ = json.loads(capsys.readouterr().out)
    assert (address, port) == ("127.0.0.1", server.server_port)
    assert next(Late.statuses, None) is None


def test_nobody_who_listens_is_no_answer() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        assert not asking.answers("127.0.0.1", unused.getsockname()[1])
