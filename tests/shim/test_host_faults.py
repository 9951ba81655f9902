"""A host that is given wrong bundles, missing things and any bytes: one clear error each, and its pods go on."""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from tests.fuzz import ttrpc
from tests.support import launchers, processes, programs
from tests.support.launchers import Caller, bundle
from tests.support.node_leftovers import CGROUPS, hierarchies
from tests.support.pods import until
from tests.support.zygote import Zygote
from wherry_shim.linux.cgroup.files import remove_directory
from wherry_shim.proto import task_pb2 as pb
from wherry_shim.proto.process_pb2 import Status
from wherry_shim.proto.services import TASK_SERVICES
from wherry_shim.ttrpc.client import Client
from wherry_shim.ttrpc.codes import RpcError

SERVICE = TASK_SERVICES[0]
FUZZED = 3.0
"""Seconds."""


class Host:
    """A host with one pod, which runs. cgroup: the parent of all, in each hierarchy."""

    def __init__(self, zygote: Zygote, folder: Path, cgroup: str) -> None:
        self.zygote, self.folder, self.cgroup = zygote, folder, cgroup
        self.caller = Caller("dash", zygote.state)
        self.pod = self.sandbox("pod")
        self.address = self.caller.start(self.pod).stdout.decode()
        (self.pid,) = launchers.hosts(zygote)

    def sandbox(self, name: str, **linux: Any) -> Path:
        made = bundle(self.folder, name)
        annotations = {"io.kubernetes.cri.sandbox-id": name, "io.kubernetes.cri.container-type": "sandbox"}
        namespaces = [{"type": "ipc"}, {"type": "uts"}]
        given = {"namespaces": namespaces, "cgroupsPath": f"/{self.cgroup}/{name}"} | linux
        spec = {"process": {"args": ["/pause"]}, "annotations": annotations, "linux": given}
        (made / "config.json").write_text(json.dumps(spec))
        return made

    def guest(self, name: str, **process: Any) -> Path:
        made = bundle(self.folder, name, "pod")
        annotations = {"io.kubernetes.cri.sandbox-id": "pod", "io.kubernetes.cri.container-type": "container"}
        given = {"args": ["/app.wasm"], "env": [], "cwd": "/"} | process
        linux = {"cgroupsPath": f"/{self.cgroup}/{name}"}
        (made / "config.json").write_text(json.dumps({"process": given, "annotations": annotations, "linux": linux}))
        return made

    @asynccontextmanager
    async def client(self) -> AsyncIterator[Client]:
        client = await Client.connect(self.address)
        try:
            yield client
        finally:
            client.close()
            await asyncio.sleep(0)

    def act(self, act: Callable[[Client], Awaitable[Any]]) -> Any:
        async def run() -> Any:
            async with self.client() as client:
                return await act(client)

        return asyncio.run(run())

    def call(self, method: str, request: Any, response: Any) -> Any:
        return self.act(lambda client: client.call(SERVICE, method, request, response, 60))

    def create(self, folder: Path, stdout: str = "") -> Any:
        request = pb.CreateTaskRequest(id=folder.name, bundle=str(folder), stdout=stdout)
        return self.call("Create", request, pb.CreateTaskResponse)

    def refusal(self, folder: Path, stdout: str = "") -> str:
        with pytest.raises(RpcError) as caught:
            self.create(folder, stdout)
        return str(caught.value)

    def pod_runs(self) -> bool:
        state = self.call("State", pb.StateRequest(id="pod"), pb.StateResponse)
        return processes.is_alive(state.pid) and state.status == Status.Value("RUNNING")

    def cgroups(self) -> set[str]:
        """Names of those that are there."""
        return {each.name for hierarchy in hierarchies() for each in (CGROUPS / hierarchy / self.cgroup).glob("*/")}


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    programs.root()
    programs.installed("dash")
    folder = tmp_path_factory.mktemp("host")
    cgroup = f"wherry-faults-{os.getpid()}"
    with launchers.lone_zygote(folder / "z") as zygote:
        (folder / "z").mkdir()
        zygote.start()
        one = Host(zygote, folder / "state", cgroup)
        pid = one.create(one.pod).pid
        one.call("Start", pb.StartRequest(id="pod"), pb.StartResponse)
        yield one
    processes.kill(one.pid)
    until(lambda: not processes.is_alive(pid))
    for hierarchy in hierarchies():
        remove_directory(str(CGROUPS / hierarchy / cgroup))


WRONG: Mapping[str, tuple[str | None, str]] = {
    "missing": (None, "No such file"),
    "empty": ("", "expected a runtime configuration"),
    "garbage": ("{not json", "expected a runtime configuration"),
    "binary": ("\0\1\2", "expected a runtime configuration"),
    "a list": ("[]", "config.json"),
    "deep": ("[" * 100_000, "expected a runtime configuration"),
    "without a process": ("{}", "process"),
    "wrong types": ('{"process": {"args": 3}, "annotations": [], "linux": 7}', "config.json"),
    "huge": ('{"process": "' + "x" * (32 << 20) + '"}', "expected"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_configuration_is_one_error(host: Host, wrong: str) -> None:
    target = bundle(host.folder, f"wrong-{wrong.replace(' ', '-')}")
    text, said = WRONG[wrong]
    (target / "config.json").unlink()
    if text is not None:
        (target / "config.json").write_text(text)
    refusal = host.refusal(target)
    assert said in refusal
    assert len(refusal) < 1000
    assert host.pod_runs()


@pytest.mark.parametrize(
    ("linux", "said"),
    [
        ({"namespaces": [{"type": "network", "path": "/run/netns/gone"}]}, "the pod's namespaces"),
        ({"namespaces": [{"type": "network", "path": "/dev/null"}]}, "the pod's namespaces"),
        ({"namespaces": [{"type": "user"}]}, "set hostUsers: true"),
        ({"cgroupsPath": "relative"}, "linux.cgroupsPath"),
        ({"cgroupsPath": "/a/../b"}, "linux.cgroupsPath"),
        ({"cgroupsPath": "/cgroup.procs/below-a-file"}, "cannot be made"),
        ({"resources": {"memory": {"limit": "much"}}}, "memory"),
        ({"sysctl": {"no.such.thing": "1"}}, "the pod's namespaces"),
        ({"namespaces": 3}, "linux"),
        ({"namespaces": [{}]}, "linux"),
        ({"resources": 3}, "linux"),
    ],
)
def test_a_pod_that_cannot_be_made_is_one_error_and_leaves_nothing(
    host: Host, linux: Mapping[str, Any], said: str, tmp_path: Path
) -> None:
    target = host.sandbox(f"sandbox-{tmp_path.name}", **linux)
    refusal = host.refusal(target)
    assert said in refusal
    assert "Traceback" not in refusal
    assert host.cgroups() == {"pod"}
    assert not list(target.glob("wherry.undo/*"))
    assert host.pod_runs()
    assert namespaces(host.pid) == namespaces(os.getpid())


def namespaces(pid: int) -> Mapping[str, str]:
    return {link.name: os.readlink(link) for link in Path(f"/proc/{pid}/ns").iterdir()}


def test_a_holder_is_in_the_pods_namespaces_with_nothing_of_its_host(host: Host) -> None:
    target = host.sandbox("own", namespaces=[{"type": kind} for kind in ("ipc", "uts", "pid")])
    pid = host.create(target).pid
    until(lambda: not os.listdir(f"/proc/{pid}/fd"))
    own = {name for name, found in namespaces(pid).items() if found != namespaces(host.pid)[name]}
    assert own == {"ipc", "uts", "pid", "pid_for_children"}
    assert namespaces(host.pid) == namespaces(os.getpid())
    assert Path(f"/proc/{pid}/environ").read_bytes() == b""
    host.call("Kill", pb.KillRequest(id="own", signal=signal.SIGKILL), pb.StateRequest)
    host.call("Wait", pb.WaitRequest(id="own"), pb.WaitResponse)
    host.call("Delete", pb.DeleteRequest(id="own"), pb.DeleteResponse)
    assert host.cgroups() == {"pod"}


def test_a_planner_waits_for_a_pods_container_and_one_that_was_killed_is_replaced(host: Host) -> None:
    _without_planners(host)
    host.create(host.sandbox("expected"))
    until(lambda: processes.planners(host.pid))
    _without_planners(host)
    assert "containerd at /c.sock" in host.refusal(host.guest("after"))  # a planner says so
    host.call("Kill", pb.KillRequest(id="expected", signal=signal.SIGKILL), pb.StateRequest)
    host.call("Delete", pb.DeleteRequest(id="expected"), pb.DeleteResponse)
    assert host.cgroups() == {"pod"}


def test_a_guest_that_cannot_be_planned_leaves_no_descriptor(host: Host) -> None:
    def held() -> int:
        _without_planners(host)
        return len(os.listdir(f"/proc/{host.pid}/fd"))

    host.refusal(host.guest("unplanned"))
    before = held()
    for number in range(3):
        host.refusal(host.guest(f"unplanned-{number}"))
    until(lambda: held() <= before)
    assert held() <= before


def _without_planners(host: Host) -> None:
    for pid in processes.planners(host.pid):
        processes.kill(pid)
    until(lambda: not processes.planners(host.pid))


def test_a_fifo_that_vanished_is_one_error_and_leaves_nothing(host: Host) -> None:
    refusal = host.refusal(host.guest("no-fifo"), "/run/no-such-fifo")
    assert "/run/no-such-fifo" in refusal
    assert host.cgroups() == {"pod"}
    assert host.pod_runs()


def test_a_guest_without_its_image_is_one_error_and_leaves_nothing(host: Host) -> None:
    """No containerd answers at the address that the launcher was given."""
    refusal = host.refusal(host.guest("no-image"))
    assert refusal.startswith("start/")
    assert host.cgroups() == {"pod"}
    assert host.pod_runs()


def test_a_full_disk_in_the_bundle_is_one_error_and_leaves_nothing(host: Host) -> None:
    target = host.sandbox("full")
    spec = (target / "config.json").read_bytes()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8k", "none", target], check=True)
    try:
        (target / "config.json").write_bytes(spec)
        with suppress(OSError):
            (target / "rest").write_bytes(bytes(4096))
        assert "No space left on device" in host.refusal(target)
        assert host.cgroups() == {"pod"}
    finally:
        subprocess.run(["umount", "--lazy", target], check=True)
    assert host.pod_runs()


def test_a_bundle_that_was_removed_under_a_pod_does_not_matter_to_it(host: Host) -> None:
    target = host.sandbox("bare")
    pid = host.create(target).pid
    host.call("Start", pb.StartRequest(id="bare"), pb.StartResponse)
    shutil.rmtree(target)
    assert processes.is_alive(pid)
    host.call("Kill", pb.KillRequest(id="bare", signal=signal.SIGKILL, all=True), pb.StateRequest)
    host.call("Wait", pb.WaitRequest(id="bare"), pb.WaitResponse)
    assert host.call("Delete", pb.DeleteRequest(id="bare"), pb.DeleteResponse).exit_status == 137
    assert host.cgroups() == {"pod"}
    assert host.pod_runs()


@pytest.mark.slow
def test_any_bytes_on_the_socket_harm_no_pod(host: Host) -> None:
    chooser = random.Random(4)
    spoken = (data for seed in range(1000) for data in islice(ttrpc.to_servers(seed), 500))
    end = time.monotonic() + FUZZED

    async def hostile() -> None:
        while time.monotonic() < end:
            reader, writer = await asyncio.open_unix_connection(host.address.removeprefix("unix://"))
            with suppress(ConnectionError, TimeoutError):
                for _ in range(chooser.randrange(1, 8)):
                    writer.write(next(spoken) if chooser.random() < 0.8 else chooser.randbytes(200))
                await writer.drain()
                if chooser.random() < 0.5:
                    async with asyncio.timeout(0.05):
                        await reader.read(1 << 16)
            writer.transport.abort()

    async def asked(client: Client) -> int:
        """A client that behaves is answered all the while."""
        count = 0
        while time.monotonic() < end:
            state = await client.call(SERVICE, "State", pb.StateRequest(id="pod"), pb.StateResponse, 60)
            assert state.status == Status.Value("RUNNING")
            count += 1
            await asyncio.sleep(0)
        return count

    async def both(client: Client) -> int:
        asking = asyncio.ensure_future(asked(client))
        await asyncio.gather(*(hostile() for _ in range(4)))
        return await asking

    assert host.act(both) > 10
    assert processes.is_alive(host.pid)
    assert host.pod_runs()
    assert host.cgroups() == {"pod"}
