"""The commands that look at a cluster, against a real API server."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.process import WHERRY, Outcome, Shell
from tests.status.cases import cases
from tests.support.apiserver import ENABLE, NO_ACCOUNTS, ApiServer, api_server, programs, until
from tests.support.log_kubelet import LogKubelet, log_kubelet
from tests.support.ports import free_port
from wherry.spec.document import load
from wherry.spec.parse import read
from wherry_operator.status.written import document

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
NAMESPACES, NODES = "/api/v1/namespaces", "/api/v1/nodes"
APPS, PODS = "/apis/wherry.dev/v1alpha1/namespaces/{}/wasmapps", "/api/v1/namespaces/{}/pods"
CRD = Path(__file__).parents[2] / "crds" / "wasmapps.yaml"
STATUSES = {case.name: document(case.outcome()) for case in cases()}
ONE, TWO, THREE = ("sha256:" + each * 64 for each in "123")
pytestmark = [pytest.mark.peer, pytest.mark.slow]


@dataclass(frozen=True)
class Desk:
    """A shell whose kubeconfig names the server, and a namespace of its own."""

    server: ApiServer
    shell: Shell
    namespace: str
    kubelet: LogKubelet

    def wherry(self, *args: str, **env: str) -> Outcome:
        return self.shell.wherry(*args, env={"KUBECONFIG": str(self.shell.folder / "config")} | env)

    def app(self, name: str, spec: dict[str, Any] | None = None, status: dict[str, Any] | None = None) -> None:
        path, head = APPS.format(self.namespace), {"apiVersion": "wherry.dev/v1alpha1", "kind": "WasmApp"}
        body = head | {"metadata": {"name": name}, "spec": {"artifact": "ghcr.io/acme/hello:v1"} | (spec or {})}
        created = self.server.ask("POST", path, body)
        assert created.status == 201, created.body
        if status is not None:
            written = self.server.ask("PUT", f"{path}/{name}/status", created.body | {"status": status})
            assert written.status == 200, written.body

    def spec(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.server.ask("GET", f"{APPS.format(self.namespace)}/{name}").body["spec"]
        return found

    def pod(self, name: str, app: str, *log: str, placed: bool = True) -> None:
        path = PODS.format(self.namespace)
        spec = {"containers": [{"name": "app", "image": "a"}]} | ({"nodeName": "one"} if placed else {})
        meta = {"name": name, "labels": {"wherry.dev/app": app}}
        created = self.server.ask("POST", path, {"metadata": meta, "spec": spec})
        assert created.status == 201, created.body
        container = {"name": "app", "image": "a", "imageID": "", "ready": placed, "restartCount": 2}
        ready = {"type": "Ready", "status": "True" if placed else "False"}
        status = {"phase": "Running" if placed else "Pending", "conditions": [ready], "containerStatuses": [container]}
        assert self.server.ask("PUT", f"{path}/{name}/status", created.body | {"status": status}).status == 200
        if log:
            self.kubelet.logs[f"{self.namespace}/{name}/app"] = [*log]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    if (folder := programs()) is None:
        pytest.skip(f"no kube-apiserver here: {ENABLE}")
    with api_server(tmp_path_factory.mktemp("api"), folder, NO_ACCOUNTS) as running:
        assert running.ask("POST", CRDS, load(CRD.read_text())[0]).status == 201
        until(lambda: running.ask("GET", APPS.format("default")).status == 200)
        yield running


@pytest.fixture(scope="module")
def kubelet(server: ApiServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LogKubelet]:
    with log_kubelet(tmp_path_factory.mktemp("kubelet")) as running:
        node = server.ask("POST", NODES, {"metadata": {"name": "one"}})
        status = {
            "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": running.port}},
        }
        assert server.ask("PUT", f"{NODES}/one/status", node.body | {"status": status}).status == 200
        yield running


@pytest.fixture
def desk(server: ApiServer, kubelet: LogKubelet, shell: Shell, request: pytest.FixtureRequest) -> Desk:
    kubelet.more.clear()
    namespace = f"n{abs(hash(request.node.name))}"
    assert server.ask("POST", NAMESPACES, {"metadata": {"name": namespace}}).status == 201
    users = {"me": {"token": server.token}, "stranger": {"token": "wrong"}, "nobody": {}}
    clusters = {"real": server.url, "away": f"https://127.0.0.1:{free_port()}"}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "me",
        "clusters": [
            {"name": name, "cluster": {"server": url, "certificate-authority": str(server.certificate)}}
            for name, url in clusters.items()
        ],
        "users": [{"name": name, "user": user} for name, user in users.items()],
        "contexts": [
            *({"name": name, "context": {"cluster": "real", "user": name, "namespace": namespace}} for name in users),
            {"name": "away", "context": {"cluster": "away", "user": "me"}},
        ],
    }
    (shell.folder / "config").write_text(yaml.safe_dump(document))
    return Desk(server, shell, namespace, kubelet)


def said(outcome: Outcome) -> str:
    """What is wrong and what to do, of a command that failed with 1 or 2 and printed nothing else."""
    assert outcome.out == ""
    assert outcome.code in (1, 2)
    return outcome.err


def test_status_is_a_page_from_the_digest_to_the_trap(desk: Desk) -> None:
    desk.app("hello", {"artifact": "ghcr.io/acme/hello:v2"}, STATUSES["rolled-back-3-done"] | TRAPPED)
    desk.pod("hello-1", "hello")
    desk.pod("hello-2", "hello", placed=False)
    desk.pod("other-1", "other")
    outcome = desk.wherry("status", "hello")
    assert outcome.code == 0, outcome.err
    lines = outcome.out.splitlines()
    assert lines[0] == f"app         {desk.namespace}/hello"
    assert "url         http://hello.shop.svc" in lines
    assert f"digest      {ONE}" in lines
    assert "module      component, 5.0 KiB" in lines
    assert "pods        hello-1  ready  Running  2 restarts  one" in lines
    assert "            hello-2  not ready  Pending  2 restarts" in lines
    assert "other-1" not in outcome.out
    assert "            Progressing False   RolledBack: the last good revision runs instead: " in outcome.out
    assert f"revisions   0  {ONE}  ghcr.io/acme/hello:v1  since 2026-01-31T11:00:00Z  runs" in lines
    assert f"put away    {TWO} at 2026-01-31T12:00:00Z: " in outcome.out
    assert lines[lines.index("last trap   2026-01-31T11:59:50Z hello-1: trap/unreachable") + 2].strip() == "0: abort"
    assert lines[-1] == "try         Push what works, under another tag or with another value of that annotation."


TRAPPED = {
    "lastTrap": {
        "time": "2026-01-31T11:59:50Z",
        "pod": "hello-1",
        "reason": "trap/unreachable",
        "message": "unreachable was run\n0: abort\n1: main",
    }
}


def test_status_of_an_app_that_nobody_has_looked_at_says_so(desk: Desk) -> None:
    desk.app("new")
    outcome = desk.wherry("status", "new")
    assert "conditions  none yet: the operator has not looked at it; is it installed" in outcome.out
    assert "pods        none" in outcome.out


def test_status_says_when_it_is_about_an_older_spec(desk: Desk) -> None:
    desk.app("hello", status=STATUSES["at-rest"] | {"observedGeneration": 1})
    assert "has not seen" not in desk.wherry("status", "hello").out
    assert desk.wherry("scale", "hello", "--replicas", "2").code == 0
    assert "try         wait: the operator has not seen the last edit yet" in desk.wherry("status", "hello").out


@pytest.mark.parametrize("form", ["json", "yaml"])
def test_status_for_programs_is_the_app_and_its_pods(desk: Desk, form: str) -> None:
    desk.app("hello", status=STATUSES["at-rest"])
    desk.pod("hello-1", "hello")
    text = desk.wherry("status", "hello", "-o", form).out
    found = json.loads(text) if form == "json" else yaml.safe_load(text)
    assert found.pop("pods") == [{"name": "hello-1", "phase": "Running", "ready": True, "restarts": 2, "node": "one"}]
    assert "managedFields" not in found["metadata"]
    app = read(found, "status")
    assert app.status.artifact is not None
    assert app.status.artifact.digest == ONE


def test_logs_of_one_pod_are_as_they_were_written(desk: Desk) -> None:
    desk.app("hello")
    desk.pod("hello-1", "hello", "first", "", "ünd")
    assert desk.wherry("logs", "hello").out == "first\n\nünd\n"
    assert desk.wherry("logs", "hello", "--tail", "1").out == "ünd\n"
    assert desk.wherry("logs", "hello", "-p").code == 0
    assert "previous=true" in desk.kubelet.asked[-1]


def test_logs_of_several_pods_begin_with_the_pod_and_one_without_a_log_hides_no_other(desk: Desk) -> None:
    desk.app("hello")
    desk.pod("hello-1", "hello", "a")
    desk.pod("hello-2", "hello", "b")
    desk.pod("hello-3", "hello")
    desk.pod("hello-4", "hello", placed=False)
    outcome = desk.wherry("logs", "hello")
    assert (outcome.code, sorted(outcome.out.splitlines())) == (0, ["hello-1  a", "hello-2  b"])
    waits, starts = outcome.err.splitlines()
    assert waits == "wherry: hello-4: waits for a node"
    assert starts.startswith("wherry: hello-3: ")
    assert 'container "app" in pod "hello-3" is waiting to start: ContainerCreating' in starts


def test_logs_are_followed_until_the_pods_end(desk: Desk) -> None:
    desk.app("hello")
    for name in ("hello-1", "hello-2"):
        desk.pod(name, "hello", "first")
        desk.kubelet.later[f"{desk.namespace}/{name}/app"] = ["last"]
    command = ("logs", "hello", "-f")
    with desk.shell.started(*command, env={"KUBECONFIG": str(desk.shell.folder / "config")}) as process:
        assert process.stdout is not None
        first = {process.stdout.readline() for _ in range(2)}
        desk.kubelet.more.set()
        rest = set(process.stdout)
        assert process.wait() == 0
    assert first == {"hello-1  first\n", "hello-2  first\n"}
    assert rest == {"hello-1  last\n", "hello-2  last\n"}


def test_logs_that_are_nowhere_are_said_to_be(desk: Desk) -> None:
    desk.app("none")
    assert said(desk.wherry("logs", "none")) == "wherry: none has no Pods\n  try: wherry status none says why\n"
    desk.app("early")
    desk.pod("early-1", "early", placed=False)
    assert "wherry: no Pod of early has such a log\n  try: wherry status early says how they are" in said(
        desk.wherry("logs", "early")
    )


REVISIONS = {
    "artifact": {"digest": THREE},
    "revisions": [
        {"digest": each, "reference": f"ghcr.io/acme/hello:v{number}", "since": "2026-01-31T12:00:00Z"}
        for number, each in ((3, THREE), (2, TWO), (1, ONE))
    ],
}


def test_rollback_writes_the_digest_and_the_artifact_that_it_is_for(desk: Desk) -> None:
    desk.app("hello", {"artifact": "ghcr.io/acme/hello:v3"}, REVISIONS)
    outcome = desk.wherry("rollback", "hello", "--json")
    assert outcome.code == 0, outcome.err
    assert desk.spec("hello")["rollback"] == {"digest": TWO, "artifact": "ghcr.io/acme/hello:v3"}
    assert json.loads(outcome.out) == {
        "app": "hello",
        "digest": TWO,
        "reference": "ghcr.io/acme/hello:v2",
        "before": THREE,
        "artifact": "ghcr.io/acme/hello:v3",
    }


def test_rollback_to_what_is_not_there_writes_nothing(desk: Desk) -> None:
    desk.app("hello", {"artifact": "ghcr.io/acme/hello:v3"}, REVISIONS)
    err = said(desk.wherry("rollback", "hello", "--to", "3"))
    assert err.startswith(f"wherry: --to: got 3, expected one of 1 ({TWO[:19]} of ghcr.io/acme/hello:v2), 2 (")
    assert "rollback" not in desk.spec("hello")


def test_scale_changes_the_replicas(desk: Desk) -> None:
    desk.app("hello")
    outcome = desk.wherry("scale", "hello", "--replicas", "0")
    assert (outcome.code, outcome.out) == (0, "app         hello\nreplicas    1 → 0\n")
    assert desk.spec("hello")["replicas"] == 0


def test_scale_is_refused_where_it_would_have_no_effect(desk: Desk) -> None:
    desk.app("hello", {"autoscaling": {"max": 5, "cpu": 70}})
    expected = "wherry: hello: replicas have no effect, because spec.autoscaling decides: 1 to 5\n  try: "
    assert said(desk.wherry("scale", "hello", "--replicas", "3")).startswith(expected)
    assert desk.spec("hello")["replicas"] == 1


PAGE = """\
wherry status hello
wherry logs hello --tail 20
wherry rollback hello --to 2
wherry scale hello --replicas 3
wherry status hello --output json
"""


def test_the_commands_of_the_page_work(desk: Desk) -> None:
    desk.app("hello", {"artifact": "ghcr.io/acme/hello:v3"}, REVISIONS)
    desk.pod("hello-1", "hello", "a line")
    for line in PAGE.splitlines():
        outcome = desk.wherry(*shlex.split(line.removeprefix("wherry")))
        assert (outcome.code, outcome.err) == (0, "")
    assert json.loads(outcome.out)["spec"]["replicas"] == 3


def test_an_app_that_is_not_there_is_said_with_the_one_that_was_meant(desk: Desk) -> None:
    desk.app("hello")
    where = f"wherry: no WasmApp in namespace {desk.namespace} is named"
    assert said(desk.wherry("status", "helo")) == f"{where} helo\n  try: try hello\n"
    assert said(desk.wherry("status", "shop")) == f"{where} shop\n  try: there are hello\n"
    assert said(desk.wherry("logs", "helo")) == f"{where} helo\n  try: try hello\n"
    empty = said(desk.wherry("status", "hello", "-n", "default"))
    assert empty == "wherry: no WasmApp in namespace default is named hello\n  try: name its namespace with -n\n"


def test_whoever_may_not_is_told_what_a_role_must_grant(desk: Desk) -> None:
    desk.app("hello")
    refused = said(desk.wherry("status", "hello", "--context", "nobody"))
    assert 'User "system:anonymous" cannot get resource "wasmapps"' in refused
    assert "  try: your role must grant get on wasmapps.wherry.dev\n" in refused
    assert "log in to the cluster again" in said(desk.wherry("status", "hello", "--context", "stranger"))


def test_a_cluster_that_does_not_answer_is_said_in_one_sentence(desk: Desk) -> None:
    err = said(desk.wherry("status", "hello", "--context", "away"))
    assert err.splitlines()[0].endswith("Connection refused")
    assert err.splitlines()[1] == "  try: is this the cluster? `kubectl cluster-info` asks the same"
    assert len(err.splitlines()) == 2


def test_a_kubeconfig_or_context_that_is_not_there_is_a_wrong_input(desk: Desk) -> None:
    unknown = desk.wherry("status", "hello", "--context", "them")
    assert unknown.code == 2
    assert "no context is named them\n  try: there are me, stranger, nobody, away\n" in said(unknown)
    absent = "wherry: none.yaml: no such file\n  try: name a kubeconfig with KUBECONFIG\n"
    assert said(desk.wherry("status", "hello", "--kubeconfig", "none.yaml")) == absent
    assert said(desk.wherry("status", "hello", KUBECONFIG="none.yaml")) == absent
    (desk.shell.folder / "broken.yaml").write_text("[")
    assert said(desk.wherry("status", "hello", "--kubeconfig", "broken.yaml")).startswith("wherry: broken.yaml: ")


def test_a_cluster_without_wherry_is_told_from_an_app_that_is_not_there(desk: Desk, tmp_path: Path) -> None:
    folder = programs()
    assert folder is not None
    with api_server(tmp_path, folder) as bare:
        document = yaml.safe_load((desk.shell.folder / "config").read_text())
        document["clusters"][0]["cluster"] = {"server": bare.url, "certificate-authority": str(bare.certificate)}
        document["users"][0]["user"] = {"token": bare.token}
        (desk.shell.folder / "bare").write_text(yaml.safe_dump(document))
        err = said(desk.wherry("status", "hello", KUBECONFIG=str(desk.shell.folder / "bare")))
    assert err.startswith("wherry: this cluster knows no WasmApps\n  try: install Wherry in it")


def test_kubectl_finds_the_commands_as_its_own(desk: Desk) -> None:
    desk.app("hello")
    path = os.pathsep.join((str(WHERRY.parent), os.environ["PATH"]))
    environment = {**os.environ, "PATH": path, "KUBECONFIG": str(desk.shell.folder / "config")}
    kubectl = [str(desk.server.programs / "kubectl"), "wherry"]
    shown = _run([*kubectl, "status", "hello"], environment)
    assert f"app         {desk.namespace}/hello" in shown.out
    assert _run([*kubectl, "--help"], environment).out.startswith("Usage: kubectl wherry [OPTIONS] COMMAND")


def _run(command: list[str], environment: dict[str, str]) -> Outcome:
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return Outcome(result.returncode, result.stdout, result.stderr)
