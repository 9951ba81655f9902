"""Pods that share a zygote and hosts, kept apart: what each knows, and who goes down with whom."""

from __future__ import annotations

import time
import uuid

import pytest

from tests.support import images, processes
from tests.support.containerd import Containerd
from tests.support.cri import CriError
from tests.support.cri_configs import ContainerSpec, PodSpec
from tests.support.pods import Container, until

pytestmark = [pytest.mark.peer, pytest.mark.slow]

GUEST = ContainerSpec(images.reference("wasm-hold"), command=("/app.wasm",))


def held(node: Containerd, name: str, **given: str) -> Container:
    """A guest that runs in a pod of its own. given: its environment."""
    spec = ContainerSpec(images.reference("wasm-hold"), command=("/app.wasm",), args=tuple(given.values()), env=given)
    return node.run(PodSpec(name), "wherry").start(spec)


def runs(container: Container) -> bool:
    return container.pod.ready and container.status().state == "running"


@pytest.fixture
def pairs(node: Containerd) -> Containerd:
    """A node whose hosts take two pods each."""
    node.start_zygote(WHERRY_PODS_PER_HOST="2", WHERRY_LINGER="1")
    return node


def test_a_secret_is_known_to_its_own_worker_alone(node: Containerd) -> None:
    node.start_zygote()
    held(node, "before")
    secret = f"secret-{uuid.uuid4()}"
    owner = held(node, "owner", TOKEN=secret)
    after = held(node, "after")
    host = processes.host(node, owner.pod)
    assert host == processes.host(node, after.pod)
    others = [node.zygote.pid, processes.nursery(host), *processes.workers(host)]
    others.remove(owner.pid)
    assert len(others) == 4
    assert processes.remembers(owner.pid, secret.encode())
    assert [pid for pid in others if processes.remembers(pid, secret.encode())] == []


@pytest.mark.parametrize("capacity", [1, 2])
def test_pods_of_a_killed_host_are_lost_and_no_others(node: Containerd, capacity: int) -> None:
    node.start_zygote(WHERRY_PODS_PER_HOST=str(capacity), WHERRY_LINGER="1")
    containers = [held(node, f"pod{number}") for number in range(3)]
    hosts = [processes.host(node, each.pod) for each in containers]
    assert len(set(hosts)) == (3 if capacity == 1 else 2)
    processes.kill(hosts[0])
    lost = [each for each, host in zip(containers, hosts, strict=True) if host == hosts[0]]
    assert len(lost) == capacity
    until(lambda: not any(each.pod.ready for each in lost))
    assert all(runs(each) for each in containers if each not in lost)
    assert {each.ended().exit_code for each in lost} <= {137, 255}
    for each in lost:
        each.pod.remove()
        assert runs(held(node, each.pod.spec.name))


def test_a_host_whose_nursery_was_killed_keeps_its_pods_and_takes_no_more(pairs: Containerd) -> None:
    old = held(pairs, "old")
    host = processes.host(pairs, old.pod)
    processes.kill(processes.nursery(host))
    until(lambda: "its nursery has ended" in pairs.zygote.log())
    new = held(pairs, "new")
    assert processes.host(pairs, new.pod) != host
    assert runs(old)
    with pytest.raises(CriError, match="the nursery of this pod's host has ended; delete the pod"):
        old.pod.start(ContainerSpec(GUEST.image, GUEST.command, name="late"))
    assert old.stop().exit_code == 143
    old.pod.remove()
    until(lambda: not processes.is_alive(host))
    assert runs(new)


def test_a_host_ends_with_its_last_pod_and_no_sooner(pairs: Containerd) -> None:
    first, second = held(pairs, "first"), held(pairs, "second")
    host = processes.host(pairs, first.pod)
    assert processes.host(pairs, second.pod) == host
    first.pod.remove()
    third = held(pairs, "third")
    assert processes.host(pairs, third.pod) == host
    second.pod.remove()
    assert runs(third)
    third.pod.remove()
    until(lambda: not processes.is_alive(host))


def test_a_host_waits_for_the_next_pod_from_its_last_ones_end_on(node: Containerd) -> None:
    """Not from when it was without a pod before."""
    node.start_zygote(WHERRY_LINGER="4")
    hosts = set()
    for number in range(4):
        pod = node.run(PodSpec(f"pod{number}"), "wherry")
        hosts.add(processes.host(node, pod))
        pod.remove()
        time.sleep(2)
    assert len(hosts) == 1
    until(lambda: not processes.is_alive(*hosts))


def test_pods_come_and_go_on_hosts_that_end_at_once(node: Containerd) -> None:
    """A host without a pod ends just when the next one is given to it, again and again."""
    node.start_zygote(WHERRY_PODS_PER_HOST="1", WHERRY_LINGER="0")
    for number in range(15):
        node.run(PodSpec(f"pod{number}"), "wherry").remove()
        assert not node.cri.pods()
