"""A real containerd of a test's own: its root and state on a tmpfs, its socket, cgroups, pod network and runtime table.

with containerd("2.3", {"registry.test": server.host}, "registry.test/pause:v1") as node:
    pod = node.run(PodSpec(), "runc")

Nothing of it is left when the block ends, whatever the block did; `node.leftovers()` says what is there before that.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.support import cni, programs
from tests.support.containerd_config import Handler, Settings, runc, wherry
from tests.support.cri import Cri, CriError
from tests.support.cri_configs import PodSpec
from tests.support.node_leftovers import CGROUPS, Traces, hierarchies, process_name
from tests.support.pods import Pod, until
from tests.support.zygote import Zygote
from wherry_shim import launcher

START = 60.0
"""Seconds for a start on a busy machine."""
PURGED = 30.0
"""Seconds. containerd refuses for a while to stop a pod whose shim it has just lost."""
NOTHING: Mapping[str, str] = {}


class Containerd:
    """One daemon and the pods on it. Methods may be called in any state of the daemon, unless they say otherwise."""

    def __init__(
        self, version: str, settings: Settings, traces: Traces, zygote: Zygote, environment: Mapping[str, str]
    ) -> None:
        self.version, self.settings, self.traces, self.zygote = version, settings, traces, zygote
        self.cri = Cri(settings.socket)
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def folder(self) -> Path:
        return self.settings.folder

    @property
    def pid(self) -> int:
        """Of the daemon that runs."""
        assert self._process
        return self._process.pid

    @property
    def cgroup_parent(self) -> str:
        """What the pods' cgroups lie in, as CRI wants it."""
        slice = self.traces.cgroup.removesuffix(".slice")
        return f"/{slice}.slice/{slice}-pods.slice" if slice != self.traces.cgroup else f"/{slice}/pods"

    def log(self) -> str:
        """What the daemon has said since its first start."""
        return (self.folder / "containerd.log").read_text(errors="replace")

    def start(self) -> None:
        """Start the daemon; returns when it takes pods."""
        binary = programs.containerd(self.version) / "containerd"
        with (self.folder / "containerd.log").open("ab") as log:
            command = [str(binary), "--config", str(self.folder / "config.toml")]
            found = f"{binary.parent}:{launcher.FOLDER}:{os.environ['PATH']}"
            environment = {**os.environ, **self.zygote.environment, "PATH": found, **self._environment}
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, cwd=self.folder
            )
        self.account(self._process.pid)
        until(self._takes_pods, START)

    def _takes_pods(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            raise RuntimeError(f"containerd {self.version} ended: {self.log()[-3000:]}")
        with contextlib.suppress(CriError):
            return self.settings.socket.exists() and self.cri.ready()
        return False

    def account(self, pid: int) -> None:
        """Count a process and what it starts from now on as this containerd's: its CPU time, and as a leftover."""
        for hierarchy in ("cpuacct", "unified", "."):
            if hierarchy in hierarchies():
                daemon = CGROUPS / hierarchy / self.traces.cgroup / "daemon"
                daemon.mkdir(parents=True, exist_ok=True)
                (daemon / "cgroup.procs").write_text(str(pid))

    def start_zygote(self, **environment: str) -> None:
        """What pods of the handler `wherry` need. environment: settings of its own, such as WHERRY_PODS_PER_HOST."""
        self.zygote.start(**environment)
        self.account(self.zygote.pid)

    def terminate(self) -> None:
        """SIGTERM to the daemon; its pods run on."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL to the daemon; its pods run on."""
        self._end(signal.SIGKILL)

    def restart(self, end: Callable[[Containerd], None] = terminate) -> None:
        """End the daemon and start it again. end: Containerd.terminate or Containerd.kill."""
        end(self)
        self.start()

    def _end(self, number: signal.Signals) -> None:
        if self._process:
            self._process.send_signal(number)
            self._process.wait(START)
            self._process = None

    def run(self, spec: PodSpec, handler: str) -> Pod:
        """A pod that is ready. The daemon must run."""
        folder = self.folder / "logs" / f"{spec.namespace}_{spec.name}_{spec.uid}"
        folder.mkdir(parents=True)
        config = self.cri.message("PodSandboxConfig", **spec.config(folder, self.cgroup_parent))
        return Pod(self.cri, self.cri.run_pod(handler, config), spec, config, folder)

    def purge(self) -> None:
        """Remove every pod, as a kubelet does: again and again, for half a minute. The daemon must run."""
        with contextlib.suppress(TimeoutError):
            until(self._purged, PURGED)

    def _purged(self) -> bool:
        pods = self.cri.pods()
        for pod in pods:
            with contextlib.suppress(CriError):
                self.cri.stop_pod(pod.id)
                self.cri.remove_pod(pod.id)
        return not pods

    def sweep_networks(self) -> None:
        """A killed containerd forgets the network of a pod that it was making, whose shim it had not called yet. No pod
        may be there.
        """
        for path in self.folder.glob("state/io.containerd.grpc.v1.cri/netns/*"):
            subprocess.run(["umount", "--lazy", path], check=False)
            path.unlink()
        for path in self.folder.glob("cni/ipam/*/100.*"):
            path.unlink()

    def leftovers(self) -> list[str]:
        """What is on the machine because of this containerd's pods, one line each; daemon and zygote are not."""
        daemon = {self._process.pid} if self._process else set()
        zygote = {self.zygote.pid} if self.zygote.runs else set()
        return self.traces.found(frozenset(daemon | zygote))

    def wait_until_clean(self, seconds: float = 10.0) -> None:
        """containerd answers before its shims have ended. Raises AssertionError with what is left in the end."""
        with contextlib.suppress(TimeoutError):
            until(lambda: not self.leftovers(), seconds, pause=0.2)  # all of /proc is looked through each time
        left = self.leftovers()
        assert not left, "left behind:\n" + "\n".join(left)

    def wait_until_idle(self, seconds: float) -> None:
        """As wait_until_clean, but shim hosts may be there that wait for the next pod."""
        until(lambda: all(map(_waits_for_a_pod, self.leftovers())), seconds, pause=0.2)

    def stop(self) -> None:
        """End everything and remove it from the machine."""
        if self._process and self._process.poll() is None:
            with contextlib.suppress(CriError):
                self.purge()
            self.terminate()
        self.zygote.end()
        self.cri.close()
        _sweep(self.traces)


def _waits_for_a_pod(leftover: str) -> bool:
    """A shim host without pods: its processes and the folder of its place."""
    kind, what = leftover.split()[:2]
    if kind == "process":
        return process_name(int(what)) in {"wherry-host", "wherry-nursery", "wherry-planner"}
    return kind == "file" and what.startswith("wherry/hosts/")


def _sweep(traces: Traces) -> None:
    """By force: what a test has left behind is not the next test's."""
    for pid in traces.pids():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    until(lambda: not traces.pids(), START, pause=0.1)
    for path in traces.mount_points():
        subprocess.run(["umount", "--lazy", path], check=False)
    _disconnect(traces)
    if traces.cgroup.endswith(".slice"):
        subprocess.run(["systemctl", "stop", traces.cgroup], check=False)
    for folder in traces.cgroup_folders():
        folder.rmdir()


def _disconnect(traces: Traces) -> None:
    cni.forget_rules(traces.network)
    for name in traces.link_names():
        subprocess.run(["ip", "link", "delete", name], check=False)


@contextmanager
def containerd(
    version: str,
    registries: Mapping[str, str],
    sandbox_image: str,
    handlers: Sequence[Handler] = (),
    environment: Mapping[str, str] = NOTHING,
    runc_binary: Path | None = None,
    systemd: bool = False,
) -> Iterator[Containerd]:
    """A containerd that takes pods. registries: what names in references stand for, such as {"registry.test":
    "localhost:5000"}. handlers: besides `runc` and `wherry`. environment: of the daemon, on top of this process's own.
    runc_binary: another runc than the machine's. systemd: it keeps the pods' cgroups, as scopes in a slice.

    Skips the test where a program is missing, or for another user than root.
    """
    programs.containerd(version)
    runc_binary, plugins = runc_binary or programs.installed("runc"), programs.cni_plugins()
    programs.root()
    with ExitStack() as stack:
        number = stack.enter_context(cni.network())
        folder = stack.enter_context(_tmpfs())
        rows = [runc("runc", runc_binary, folder / "runc", systemd=systemd), wherry(), *handlers]
        settings = Settings(folder, plugins, sandbox_image, rows)
        _write(settings, number, registries)
        name = folder.name.rpartition("-")[2]
        traces = Traces(folder, f"wherry_{name}.slice" if systemd else f"wherry-{name}", number)
        node = Containerd(version, settings, traces, Zygote(settings, runc_binary), environment)
        _disconnect(traces)  # a run that was killed had the same network
        stack.callback(node.stop)
        node.start()
        yield node


@contextmanager
def _tmpfs() -> Iterator[Path]:
    """A folder in memory: a disk's fsync would be most of what is waited for."""
    folder = Path(tempfile.mkdtemp(prefix="wherry-"))
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "wherry-test", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)
        shutil.rmtree(folder)


def _write(settings: Settings, number: int, registries: Mapping[str, str]) -> None:
    (settings.folder / "config.toml").write_text(settings.toml())
    cni.configure(settings.folder / "cni", number)
    for name, host in registries.items():
        hosts = settings.folder / "certs.d" / name / "hosts.toml"
        hosts.parent.mkdir(parents=True)
        hosts.write_text(f'server = "http://{host}"\n[host."http://{host}"]\ncapabilities = ["pull", "resolve"]\n')
