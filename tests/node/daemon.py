"""A containerd of a test's own, without pods: its configuration is what is tested. And a node's services with it."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.support import programs
from wherry_shim.node.containerd import Containerd
from wherry_shim.node.cri import Cri
from wherry_shim.node.fault import NodeError
from wherry_shim.node.host import Host
from wherry_shim.node.kubernetes import PLAIN

CONFIG = """\
# of the test
version = 2
root = "{folder}/root"
state = "{folder}/state"
disabled_plugins = ["io.containerd.nri.v1.nri", "io.containerd.internal.v1.opt"]

[grpc]
  address = "{folder}/containerd.sock"

[plugins."io.containerd.grpc.v1.cri"]
  restrict_oom_score_adj = true
  stream_server_port = "0"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
"""


@dataclass
class Daemon:
    version: str
    folder: Path
    program: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def config(self) -> Path:
        return self.folder / "etc" / "config.toml"

    @property
    def cri(self) -> Cri:
        return Cri(self.folder / "containerd.sock", timeout=5)

    def start(self) -> None:
        """Returns when it answers. Raises NodeError when it ends instead, as systemctl would."""
        with (self.folder / "log").open("ab") as log:
            command = [str(self.program), "--config", str(self.config)]
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder)
        while self.process.poll() is None:
            try:
                self.cri.handlers()
            except NodeError:
                time.sleep(0.02)
                continue
            return
        raise NodeError(f"containerd ended: {(self.folder / 'log').read_text()[-500:]}")

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait()

    def restart(self) -> None:
        self.stop()
        self.start()

    def containerd(self) -> Containerd:
        """As the installer knows it."""
        places = {"socket": str(self.folder / "containerd.sock"), "config": str(self.config)}
        kubernetes = type(PLAIN)(**{**vars(PLAIN), **places})
        version, config = programs.numbers(self.version), str(self.config)
        return Containerd(Host(), kubernetes, str(self.program), config, "containerd.service", version)


@contextmanager
def daemon(version: str, folder: Path) -> Iterator[Daemon]:
    """Started; skips where there is no such containerd."""
    programs.root()
    running = Daemon(version, folder, programs.containerd(version) / "containerd")
    running.config.parent.mkdir(parents=True)
    running.config.write_text(CONFIG.format(folder=folder))
    try:
        running.start()
        yield running
    finally:
        running.stop()


@dataclass
class DaemonServices:
    """What systemd does on a node. faults: called before a service starts, and may raise."""

    daemon: Daemon
    unit: str
    faults: dict[str, Callable[[], None]] = field(default_factory=dict)
    zygote: bool = False
    calls: list[str] = field(default_factory=list)
    automatic: bool = True

    @property
    def files(self) -> dict[str, str]:
        return {self.unit: "[Service]\nExecStart=true\n"}

    def _called(self, what: str) -> None:
        self.calls.append(what)
        if fault := self.faults.pop(what, None):
            fault()

    def restart_containerd(self) -> None:
        self._called("containerd")
        self.daemon.restart()

    def start_zygote(self) -> None:
        self._called("zygote")
        assert Path(self.unit).exists()
        self.zygote = True

    def stop_zygote(self) -> None:
        assert Path(self.unit).exists() or not self.zygote, "systemd stops no unit that has lost its file"
        self.zygote = False

    def kill_leftovers(self) -> None:
        assert not self.zygote

    def reload(self) -> None:
        assert not self.zygote

    def zygote_is_alive(self) -> bool:
        return self.zygote

    def aside(self, command: Sequence[str]) -> tuple[str, ...]:
        return tuple(command)
