"""The agent on a real node, from first start to last trace: told in order, each test goes on where the last ended.

`WHERRY_AGENT_IMAGE` names an image of the agent that Docker has (`images/build agent`).
"""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.agent.cluster import AGENTS, Agents, app, plan
from tests.chart.helm import NAMESPACE
from tests.node.kind import worker
from tests.node.test_kind import HELLO_WASM, wasm_archive

pytestmark = [pytest.mark.peer, pytest.mark.slow]

FIRST, SECOND, BROKEN = (f"wherry.test/agent:{tag}" for tag in ("first", "second", "broken"))
PACKAGES = "$(python -c 'import sysconfig; print(sysconfig.get_path(\"purelib\"))')"
FROM = "FROM {base}\nRUN {change}\n"
NEWER = f"echo '# newer' >> {PACKAGES}/wherry_shim/zygote.py"
WORSE = f"echo 'raise SystemExit(3)' > {PACKAGES}/wherry_shim/task/service.py"
HELLO = "wherry.test/hello"
UNINSTALL = "wherry-agent uninstall --all --wait 300"
TAKEN_BACK = "kubectl annotate --namespace wherry-system daemonset wherry-agent wherry.dev/uninstall-"
TABLE = "/etc/containerd/conf.d/wherry.toml"


def build(folder: Path, name: str, base: str, change: str) -> None:
    (folder / "Dockerfile").write_text(FROM.format(base=base, change=change))
    subprocess.run(["docker", "build", "-q", "-t", name, str(folder)], check=True, capture_output=True)


@pytest.fixture(scope="module")
def agents(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agents]:
    base = os.environ.get("WHERRY_AGENT_IMAGE")
    found = worker()
    if not base or shutil.which("docker") is None:
        pytest.skip("needs an image: run images/build agent, and export WHERRY_AGENT_IMAGE")
    folder = tmp_path_factory.mktemp("images")
    for name, change in ((FIRST, "true"), (SECOND, NEWER), (BROKEN, WORSE)):
        build(folder, name, base, change)
    archive = folder / "images.tar"
    subprocess.run(["docker", "save", "-o", str(archive), FIRST, SECOND, BROKEN], check=True)
    found.load(archive)
    archive.unlink()
    running = Agents(found)
    running.remove()
    running.prepare()
    yield running
    running.remove()


@pytest.fixture(scope="module")
def before(agents: Agents) -> set[str]:
    return agents.node.snapshot()


def zygote(agents: Agents) -> str:
    return agents.node.exec("sh", "-c", "cat /run/wherry/zygote.pid 2>/dev/null || true").strip()


def serves(agents: Agents, name: str) -> bool:
    """Whether a Pod is Ready, as the kubelet last found by asking it."""
    path = 'jsonpath={.status.conditions[?(@.type=="Ready")].status}'
    return agents.node.kubectl("get", "pod", name, "-o", path) == "True"


def restarts(agents: Agents, name: str) -> tuple[str, str]:
    """The Pod's identity, and how often it was started anew."""
    path = "jsonpath={.metadata.uid} {.status.containerStatuses[0].restartCount}"
    uid, count = agents.node.kubectl("get", "pod", name, "-o", path).split()
    return uid, count


def new_pod_serves(agents: Agents, name: str, image: str) -> None:
    agents.node.apply(app(name, image))
    agents.until(lambda: serves(agents, name), 60)
    agents.node.kubectl("delete", "pod", name, "--timeout=60s")


def test_the_node_gets_its_label_when_a_wasm_pod_has_answered(agents: Agents, before: set[str]) -> None:
    assert before
    assert agents.label() == ""
    agents.start(FIRST)
    agents.until(lambda: agents.runs(FIRST))
    assert agents.label() == "ready"
    assert agents.installed()
    said = agents.log()
    assert said.index("running a pod") < said.index("installed: ")
    agents.until(lambda: "probe" not in agents.ask("get", "pods", "-o", "name"))


def test_pods_of_the_runtime_class_run(agents: Agents) -> None:
    agents.node.apply(app("stays", FIRST))
    agents.until(lambda: serves(agents, "stays"), 60)
    assert restarts(agents, "stays")[1] == "0"


def test_an_agent_that_is_killed_harms_no_pod_and_changes_nothing(agents: Agents) -> None:
    installed, pid, pod = agents.installed(), zygote(agents), restarts(agents, "stays")
    old = agents.pod()["metadata"]["name"]
    agents.ask("delete", "pod", old, "--grace-period=0", "--force")
    agents.until(lambda: agents.pod()["metadata"]["name"] != old and agents.is_ready())
    assert "nothing to do: " in agents.log()
    assert (agents.installed(), zygote(agents), restarts(agents, "stays")) == (installed, pid, pod)


def test_a_zygote_that_is_killed_comes_back(agents: Agents) -> None:
    pid = zygote(agents)
    agents.node.exec("kill", "-9", pid)
    agents.until(lambda: zygote(agents) not in {"", pid}, 30)
    assert agents.label() == "ready"
    new_pod_serves(agents, "after-kill", FIRST)


def test_a_zygote_that_was_stopped_is_started_by_the_agent(agents: Agents) -> None:
    agents.node.exec("systemctl", "disable", "--now", "wherry-zygote")
    assert zygote(agents) == ""
    agents.until(lambda: zygote(agents) != "" and agents.is_ready(), 90)
    assert serves(agents, "stays")


def test_a_table_that_is_deleted_is_written_again(agents: Agents) -> None:
    agents.node.exec("rm", TABLE)
    agents.node.exec("systemctl", "restart", "containerd")
    agents.until(lambda: agents.node.exec("sh", "-c", f"cat {TABLE} 2>/dev/null || true"), 60)
    agents.until(lambda: "wherry" in agents.node.exec("sh", "-c", "crictl info | grep -A3 '\"wherry\"' || true"), 60)
    new_pod_serves(agents, "after-table", FIRST)
    assert serves(agents, "stays")


def test_a_label_that_was_taken_away_comes_back(agents: Agents) -> None:
    agents.node.kubectl("label", "node", agents.node.name, "wherry.dev/runtime-")
    agents.until(lambda: agents.label() != "", 60)
    assert agents.label() == "ready"


def test_prometheus_reads_the_pod_by_its_app(agents: Agents) -> None:
    page = agents.node.kubectl(
        "get", "--raw", f"/api/v1/namespaces/{NAMESPACE}/pods/{agents.pod()['metadata']['name']}:8080/proxy/metrics"
    )
    labels = 'namespace="default",pod="stays",container="app",app="stays"'
    (line,) = (line for line in page.splitlines() if f'wherry_requests_total{{{labels},class="2xx"}}' in line)
    assert float(line.rpartition(" ")[2]) > 1
    assert f'wherry_node_ready{{node="{agents.node.name}"}} 1' in page.splitlines()


def test_a_pod_that_waits_finds_its_code_compiled(agents: Agents, tmp_path: Path) -> None:
    """For an init container, here; it may also be a volume, or another image."""
    agents.node.load(wasm_archive(tmp_path), "--no-unpack", "--base-name", HELLO)
    index = json.loads((tmp_path / "layout" / "index.json").read_text())
    image = f"{HELLO}@{index['manifests'][0]['digest']}"
    agents.node.exec("ctr", "-n", "k8s.io", "images", "tag", f"{HELLO}:v1", image)
    pod = app("waits", image)
    wasm = hashlib.sha256(HELLO_WASM.read_bytes()).hexdigest()
    pod["metadata"]["annotations"] = {"plan.wherry.dev/app": plan(wasm)}
    container = pod["spec"]["containers"][0]
    container["command"], container["imagePullPolicy"] = ["/app.wasm"], "IfNotPresent"
    sleeps = {"name": "sleeps", "image": FIRST, "imagePullPolicy": "Never", "command": ["sleep", "15"]}
    pod["spec"]["initContainers"] = [sleeps]
    agents.node.apply(pod)
    agents.until(lambda: f"{image}: compiled before it is asked for" in agents.log(), 60)
    state = "jsonpath={.status.containerStatuses[0].state}"
    assert "PodInitializing" in agents.node.kubectl("get", "pod", "waits", "-o", state)
    agents.until(lambda: serves(agents, "waits"), 60)
    agents.node.kubectl("delete", "pod", "waits", "--timeout=60s")


def test_an_upgrade_harms_no_pod_and_new_pods_run_on_it(agents: Agents) -> None:
    installed, pod = agents.installed(), restarts(agents, "stays")
    agents.start(SECOND)
    agents.until(lambda: agents.runs(SECOND))
    assert agents.installed() != installed
    assert restarts(agents, "stays") == pod
    assert serves(agents, "stays")
    agents.node.apply(app("newer", SECOND))
    agents.until(lambda: serves(agents, "newer"), 60)
    maps = agents.node.exec(
        "sh", "-c", "cat /proc/[0-9]*/maps 2>/dev/null | grep -o '/opt/wherry/versions/[^/]*' | sort -u"
    )
    assert {line.rpartition("/")[2] for line in maps.split()} == {installed, agents.installed()}
    agents.node.kubectl("delete", "pod", "newer", "--timeout=60s")


def test_a_version_that_does_not_work_is_rolled_back_and_the_node_stays_ready(agents: Agents) -> None:
    installed, pod = agents.installed(), restarts(agents, "stays")
    agents.start(BROKEN)
    agents.until(lambda: "this version is not installed" in agents.log())
    assert (agents.installed(), restarts(agents, "stays")) == (installed, pod)
    assert agents.label() == "ready"
    assert not agents.is_ready()
    new_pod_serves(agents, "after-rollback", FIRST)
    agents.start(SECOND)
    agents.until(lambda: agents.runs(SECOND))


def test_an_uninstall_is_refused_while_pods_run_and_changes_nothing(agents: Agents) -> None:
    done, said = agents.hook(SECOND, UNINSTALL)
    assert not done
    assert "1 Wasm pods run: default/stays" in said
    assert agents.label() == "ready"


def test_an_order_that_is_taken_back_is_followed_by_an_installation(agents: Agents, before: set[str]) -> None:
    agents.node.kubectl("delete", "pod", "stays", "--timeout=60s")
    _, *order = shlex.split(TAKEN_BACK)
    agents.node.kubectl(*order[:-1], "wherry.dev/uninstall=by-hand")
    agents.until(lambda: agents.node.snapshot() ^ before == set())
    assert agents.label() == ""
    agents.node.kubectl(*order)
    agents.until(lambda: agents.label() == "ready" and agents.is_ready())
    new_pod_serves(agents, "after-all", SECOND)


def test_an_uninstall_leaves_every_byte_as_it_was(agents: Agents, before: set[str]) -> None:
    done, said = agents.hook(SECOND, UNINSTALL)
    assert done, said
    assert "1 nodes are as they were" in said
    assert agents.node.snapshot() ^ before == set()
    assert "wherry" not in agents.node.exec("systemctl", "list-units", "--all", "--no-legend")
    node = json.loads(agents.node.kubectl("get", "node", agents.node.name, "-o", "json"))["metadata"]
    assert [name for name in {**node["labels"], **node["annotations"]} if name.startswith("wherry.dev/")] == []


def test_nothing_comes_back_while_the_daemon_set_ends(agents: Agents, before: set[str]) -> None:
    agents.ask("delete", "daemonset", "wherry-agent", "--timeout=120s")
    agents.until(lambda: agents.ask("get", "pods", "-l", AGENTS, "-o", "name") == "")
    assert agents.node.snapshot() ^ before == set()
