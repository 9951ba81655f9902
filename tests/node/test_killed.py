"""Whoever is killed, whenever: afterwards containerd tells the truth, the pod can be removed and made anew, others have
seen nothing, and nothing is left. A generated matrix, of which a seeded sample runs; WHERRY_KILL_ALL=1 runs all of it.
"""

from __future__ import annotations

import itertools
import os
import random
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field

import pytest

from tests.support import images, processes, programs
from tests.support.containerd import Containerd
from tests.support.cri import CriError
from tests.support.cri_configs import ContainerSpec, PodSpec
from tests.support.pods import Container, Pod, until

pytestmark = [pytest.mark.peer, pytest.mark.slow]

VICTIMS = ("zygote", "host", "nursery", "worker", "holder", "containerd")
PHASES = ("before", "making", "made", "created", "starting", "running", "stopping", "removed")
SHAPES = ("guest", "guest and sidecar")
EARLIEST = {"nursery": "making", "holder": "making", "worker": "starting"}
LATEST = {"worker": "stopping", "holder": "stopping"}
SAMPLE, SEED = 12, 4
"""Cases for each containerd, about two minutes in all."""

GUEST = ContainerSpec(images.reference("wasm-hold"), command=("/app.wasm",))
SIDECAR = ContainerSpec(images.reference("work"), args=("ignore-term",), name="side")
EXITS = ContainerSpec(images.reference("wasm-exit"), command=("/app.wasm",), args=("7",))


@dataclass(frozen=True)
class Case:
    version: str
    victim: str
    phase: str
    shape: str

    def __str__(self) -> str:
        return "-".join((self.version, self.victim, self.phase, self.shape.replace(" ", "-")))


def cases() -> list[Case]:
    """Those where the victim is there to be killed."""
    every = itertools.starmap(Case, itertools.product(programs.VERSIONS, VICTIMS, PHASES, SHAPES))
    return [case for case in every if _exists(case)]


def _exists(case: Case) -> bool:
    at = PHASES.index(case.phase)
    earliest, latest = EARLIEST.get(case.victim, PHASES[0]), LATEST.get(case.victim, PHASES[-1])
    return PHASES.index(earliest) <= at <= PHASES.index(latest)


def sample() -> list[Case]:
    if os.environ.get("WHERRY_KILL_ALL"):
        return cases()
    chooser = random.Random(SEED)
    chosen = [chooser.sample([case for case in cases() if case.version == each], SAMPLE) for each in programs.VERSIONS]
    return list(itertools.chain(*chosen))


@pytest.fixture
def version(request: pytest.FixtureRequest) -> str:
    case: Case = request.getfixturevalue("case")
    return case.version


@dataclass
class Stage:
    """A pod that is brought through its life, and one that watches."""

    node: Containerd
    shape: str
    spec: PodSpec = field(default_factory=lambda: PodSpec("killed"))
    pod: Pod | None = None
    containers: list[Container] = field(default_factory=list)
    pending: list[Future[object]] = field(default_factory=list)
    alone: bool = False
    """Whether the pod has a host of its own."""
    watched: int = 0
    """The host of the pod that watches."""
    watching: int = 0
    """Its holder."""
    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(4))

    def make(self) -> None:
        self.pod = self.node.run(self.spec, "wherry")

    def create(self) -> None:
        assert self.pod
        specs = [GUEST, SIDECAR] if self.shape == "guest and sidecar" else [GUEST]
        self.containers = [self.pod.create(each) for each in specs]

    def start(self) -> None:
        for each in self.containers:
            each.start()

    def stop(self) -> None:
        for each in self.containers:
            each.stop(grace=1)

    def remove(self) -> None:
        assert self.pod
        self.pod.remove()

    def begin(self, step: Callable[[], None]) -> None:
        self.pending.append(self.pool.submit(step))

    def bring(self, phase: str) -> None:
        """The last step of a phase named by what goes on is begun, and not waited for."""
        steps = (self.make, self.create, self.start, self.stop)
        whole = {"made": 1, "created": 2, "running": 3, "removed": 3}.get(phase)
        begun = {"making": 0, "starting": 2, "stopping": 3}.get(phase)
        for step in steps[: whole if begun is None else begun] if phase != "before" else ():
            step()
        if begun is not None:
            self.begin(steps[begun])
        if phase == "removed":
            self.remove()

    def settle(self) -> None:
        """Whatever went on has come to an end, well or not."""
        for each in self.pending:
            with suppress(CriError):
                each.result(120)


@pytest.fixture
def stage(node: Containerd, case: Case) -> Iterator[Stage]:
    alone = case.victim in {"host", "nursery"}
    idle = alone and case.phase in {"before", "removed"}
    node.start_zygote(WHERRY_PODS_PER_HOST="1" if alone else "32", WHERRY_LINGER="5" if idle else "1")
    one = Stage(node, case.shape, alone=alone)
    yield one
    one.pool.shutdown()
    node.purge()
    if case.victim == "containerd":
        node.sweep_networks()


@pytest.mark.parametrize("case", sample(), ids=str)
def test_nobody_is_lost(stage: Stage, case: Case) -> None:
    node = stage.node
    witness = node.run(PodSpec("witness"), "wherry").start(GUEST)
    pid = witness.pid
    stage.watched, stage.watching = processes.host(node, witness.pod), processes.holder(witness.pod)
    if case.phase == "before" and stage.alone:
        node.run(PodSpec("earlier"), "wherry").remove()  # its host waits for the next pod
    stage.bring(case.phase)
    strike(stage, case.victim)
    stage.settle()

    if case.phase != "removed":
        until(lambda: tells_the_truth(stage), 30)
    remove_all_but(node, witness.pod)
    again = node.run(PodSpec("killed"), "wherry")
    assert again.start(EXITS).ended().exit_code == 7
    assert witness.status().state == "running"
    assert processes.is_alive(pid)


def strike(stage: Stage, victim: str) -> None:
    """Kill it; what a service manager starts again is started again."""
    node = stage.node
    if victim == "zygote":
        node.zygote.restart(signal.SIGKILL, **node.zygote.given)
        node.account(node.zygote.pid)
    elif victim == "containerd":
        node.kill()
        node.start()
    else:
        with suppress(TimeoutError):  # it may be gone before it is found
            killed = until(lambda: target(stage, victim), 10)
            processes.kill(killed)
            # A pod that meets a host in its last moment fails, and the kubelet tries again: not what is asked here.
            until(lambda: not processes.state(killed), 10)


def target(stage: Stage, victim: str) -> int:
    """0 when it is not there (yet)."""
    owner = processes.host(stage.node, stage.pod) if stage.pod else 0
    owner = owner or max(processes.hosts(stage.node) - {stage.watched}, default=0 if stage.alone else stage.watched)
    match victim:
        case "host":
            return owner
        case "nursery":
            return processes.nursery(owner)
        case "worker":
            return processes.worker(owner, stage.containers[0].id)
    return max(set(processes.holders(owner)) - {stage.watching}, default=0)


def tells_the_truth(stage: Stage) -> bool:
    """What is said to run does run, and nothing else; so it is with the pod and its holder."""
    if stage.pod and stage.pod.ready != processes.is_alive(processes.holder(stage.pod)):
        return False
    running = [each.status().state == "running" for each in stage.containers]
    return running == [bool(processes.of_container(each.id)) for each in stage.containers]


def remove_all_but(node: Containerd, kept: Pod) -> None:
    """As a kubelet does: again and again."""

    def removed() -> bool:
        others = [pod.id for pod in node.cri.pods() if pod.id != kept.id]
        for pod in others:
            with suppress(CriError):
                node.cri.stop_pod(pod)
                node.cri.remove_pod(pod)
        return not others

    until(removed, 60)
