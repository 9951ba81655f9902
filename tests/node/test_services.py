"""Wasm containers that serve HTTP, on real containerds: workers, traps, counters, ports, drain, and what they call."""

from __future__ import annotations

import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.node.test_confinement import inside
from tests.node.test_guests import annotated, get, guest, listens, run
from tests.support import images
from tests.support.certificates import self_signed, server_context
from tests.support.containerd import Containerd
from tests.support.cri import CriError
from tests.support.cri_configs import ContainerSpec, Mounted, PodSpec
from tests.support.pods import Container, Pod, until
from tests.support.zygote import Zygote
from wherry.engine.metering import Counters, attach

pytestmark = [pytest.mark.peer, pytest.mark.slow, pytest.mark.usefixtures("origin")]


@pytest.fixture
def pod(node: Containerd, origin: Zygote) -> Pod:
    return node.run(annotated("wasm-types", "http"), "wherry")


def serving(pod: Pod, image: str, **given: object) -> Container:
    container = run(pod, image, **given)
    until(lambda: listens(pod.ip) or (container.status().state == "exited"), 20)
    assert container.status().state == "running", container.out("stderr")
    return container


def status_of(pod: Pod, path: str) -> int:
    try:
        with urllib.request.urlopen(f"http://{pod.ip}:8080{path}", timeout=60) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code


# Workers, traps, counters


@pytest.mark.parametrize(("cpu", "processes"), [(0, 1), (0.5, 1), (1.5, 1 + 2)])
def test_a_worker_serves_for_each_cpu_of_the_limit(pod: Pod, cpu: float, processes: int) -> None:
    """One worker is the whole pod; several have somebody above them."""
    container = serving(pod, "wasm-types", cpu=cpu)
    assert len(inside(container.pid)) == processes


def test_a_trap_is_one_answer_and_the_same_text_everywhere(pod: Pod, origin: Zygote) -> None:
    container = serving(pod, "wasm-types")
    kept = origin.state / pod.spec.uid / "app.trap"
    assert [status_of(pod, path) for path in ("/trap", "/", "/trap")] == [500, 200, 500]
    told = kept.read_text()
    assert told.count("trap/unreachable: ") == told.count("in request GET /trap id=") == 2
    assert told.splitlines()[0] in container.out("stderr")
    assert container.status().state == "running"


def counters(path: Path) -> dict[str, int]:
    seen: Counters = attach(path)
    try:
        return seen.total()
    finally:
        seen.close()


def test_counters_are_read_from_outside_while_it_runs_and_removed_with_it(pod: Pod, origin: Zygote) -> None:
    container = serving(pod, "wasm-types", cpu=2)
    folder = origin.state / pod.spec.uid
    before = counters(folder / "app.metrics")
    assert [status_of(pod, path) for path in ("/", "/trap", "/log")] == [200, 500, 200]
    after = until(lambda: seen if (seen := counters(folder / "app.metrics"))["requests_2xx"] >= 2 else None)
    grown = {name for name in after if after[name] > before[name]}
    assert {"requests_2xx", "requests_5xx", "trap_unreachable", "instances", "cpu_microseconds"} <= grown
    assert sorted(path.name for path in folder.iterdir()) == ["app.metrics", "app.trap"]
    assert container.stop().exit_code == 0
    container.remove()
    assert not folder.exists()


def test_the_file_of_traps_is_bounded(pod: Pod, origin: Zygote) -> None:
    serving(pod, "wasm-types")
    kept = origin.state / pod.spec.uid / "app.trap"
    kept.write_bytes(b"x" * (64 << 10))
    assert status_of(pod, "/trap") == 500
    assert kept.stat().st_size == 64 << 10


def test_a_limit_of_time_ends_a_request_and_no_container(node: Containerd) -> None:
    pod = node.run(annotated("wasm-types", "http", limits={"timeout": 0.3}), "wherry")
    container = serving(pod, "wasm-types")
    assert [status_of(pod, path) for path in ("/sleep", "/")] == [504, 200]
    assert "limit/timeout: " in container.out("stderr")


def test_more_requests_than_wait_are_refused(node: Containerd, origin: Zygote) -> None:
    pod = node.run(annotated("wasm-types", "http", limits={"timeout": 60.0, "concurrency": 1}), "wherry")
    serving(pod, "wasm-types")
    with ExitStack() as held:
        for _ in range(3):
            client = held.enter_context(socket.create_connection((pod.ip, 8080)))
            client.sendall(b"GET /sleep HTTP/1.1\r\nHost: a\r\n\r\n")
        until(lambda: counters(origin.state / pod.spec.uid / "app.metrics")["queued"] == 2)
        assert status_of(pod, "/") == 503


# Drain


def begun(pod: Pod) -> socket.socket:
    """A request whose guest waits for the second half of its body: the server asks for it when the guest does."""
    client = socket.create_connection((pod.ip, 8080), timeout=60)
    head = b"POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"
    client.sendall(head)
    assert client.recv(4096) == b"HTTP/1.1 100 Continue\r\n\r\n"
    client.sendall(b"ab")
    return client


def test_a_request_that_is_under_way_is_finished_after_sigterm(node: Containerd) -> None:
    pod = node.run(annotated("wasm-http", "http", http={"port": 8080, "drain": 60.0}), "wherry")
    container = serving(pod, "wasm-http")
    client = begun(pod)
    stopping = threading.Thread(target=container.stop, args=(90,))
    stopping.start()
    until(lambda: not listens(pod.ip))
    client.sendall(b"cd")
    answer = b"".join(iter(lambda: client.recv(4096), b""))
    stopping.join()
    client.close()
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"cd" in answer
    assert container.status().exit_code == 0


def test_a_request_that_outlasts_the_drain_is_cut(node: Containerd) -> None:
    pod = node.run(annotated("wasm-http", "http", http={"port": 8080, "drain": 0.2}), "wherry")
    container = serving(pod, "wasm-http")
    client = begun(pod)
    assert container.stop(90).exit_code == 143
    client.close()


def test_a_request_that_outlasts_the_grace_period_is_killed(node: Containerd) -> None:
    pod = node.run(annotated("wasm-http", "http", http={"port": 8080, "drain": 600.0}), "wherry")
    container = serving(pod, "wasm-http")
    client = begun(pod)
    assert container.stop(1).exit_code == 137
    client.close()


# Ports


def test_a_port_that_a_sidecar_has_is_one_sentence(pod: Pod) -> None:
    pod.start(ContainerSpec(images.reference("httpd"), name="web"))
    until(lambda: listens(pod.ip))
    with pytest.raises(CriError, match=r"start/address: cannot listen on :: port 8080: Address already in use"):
        run(pod, "wasm-types")


@pytest.mark.parametrize("start", ["0", "1024"])
def test_a_low_port_is_anybodys_where_the_pod_says_so(node: Containerd, start: str) -> None:
    asked = annotated("wasm-http", "http", http={"port": 80, "drain": 1.0})
    sysctls = {"net.ipv4.ip_unprivileged_port_start": start}
    pod = node.run(replace(asked, sysctls=sysctls), "wherry")
    if start == "1024":
        with pytest.raises(CriError, match=r"start/address: cannot listen on :: port 80: Permission denied"):
            run(pod, "wasm-http", uid=65532, gid=65532)
        return
    run(pod, "wasm-http", uid=65532, gid=65532)
    until(lambda: answers(f"http://{pod.ip}/"))


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=30):
            return True
    except OSError:
        return False


def test_a_port_of_the_host_leads_to_a_guest(node: Containerd) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    pod = node.run(replace(annotated("wasm-http", "http"), ports=((port, 8080),)), "wherry")
    serving(pod, "wasm-http")
    assert answers(f"http://{gateway(pod)}:{port}/")


def test_a_guest_serves_on_the_hosts_network(node: Containerd) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    asked = annotated("wasm-http", "http", http={"port": port, "drain": 1.0})
    pod = node.run(replace(asked, host_network=True), "wherry")
    run(pod, "wasm-http", uid=65532, gid=65532)
    until(lambda: answers(f"http://127.0.0.1:{port}/"))
    assert answers(f"http://127.0.0.1:{port}/")


# What a guest calls


class Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-length", "6")
        self.end_headers()
        self.wfile.write(b"origin")

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def service() -> Iterator[ThreadingHTTPServer]:
    """Of this machine, where pods reach it by their gateway."""
    with ThreadingHTTPServer(("0.0.0.0", 0), Answer) as server:
        threading.Thread(target=server.serve_forever).start()
        yield server
        server.shutdown()


def gateway(pod: Pod) -> str:
    return f"{pod.ip.split('.')[0]}.{pod.ip.split('.')[1]}.0.1"


@pytest.fixture
def hosts(tmp_path: Path, node: Containerd) -> Mounted:
    """The kubelet's hosts file: a name for the pods' gateway."""
    path = tmp_path / "hosts"
    path.write_text(f"127.0.0.1 localhost\n100.{node.traces.network}.0.1 service.test\n")
    return Mounted(path, "/etc/hosts")


def asked(node: Containerd, hosts: Mounted, *outbound: str) -> Pod:
    pod = node.run(annotated("wasm-outbound", "http", outbound=outbound), "wherry")
    serving(pod, "wasm-outbound", mounts=(hosts,), uid=65532, gid=65532)
    return pod


def test_a_guest_calls_a_service_by_its_name_where_that_is_granted(
    node: Containerd, service: ThreadingHTTPServer, hosts: Mounted
) -> None:
    port = service.server_address[1]
    pod = asked(node, hosts, f"http://service.test:{port}")
    with urllib.request.urlopen(f"http://{pod.ip}:8080/http://service.test:{port}/", timeout=60) as response:
        assert response.read() == b"origin"
    assert status_of(pod, f"/http://{gateway(pod)}:{port}/") == 502


def test_a_guest_trusts_the_authorities_that_its_node_trusts(
    node: Containerd, service: ThreadingHTTPServer, hosts: Mounted, tmp_path: Path
) -> None:
    certificate = self_signed(tmp_path, "service", "service.test")
    service.socket = server_context(certificate).wrap_socket(service.socket, server_side=True)
    url = f"https://service.test:{service.server_address[1]}"
    pod = asked(node, hosts, url)
    assert status_of(pod, f"/{url}/") == 502
    pod.remove()
    node.wait_until_clean()  # a shim host has its zygote's environment
    node.start_zygote(WHERRY_LINGER="0", SSL_CERT_FILE=str(certificate.cert_file))
    pod = asked(node, hosts, url)
    with urllib.request.urlopen(f"http://{pod.ip}:8080/{url}/", timeout=60) as response:
        assert response.read() == b"origin"


def test_a_command_calls_a_service_where_that_is_granted(
    node: Containerd, service: ThreadingHTTPServer, hosts: Mounted
) -> None:
    authority = f"service.test:{service.server_address[1]}"
    granted = node.run(annotated("wasm-fetch", outbound=[f"http://{authority}"]), "wherry")
    assert run(granted, "wasm-fetch", authority, mounts=(hosts,)).ended().exit_code == 0
    refused = node.run(replace(annotated("wasm-fetch"), name="refused"), "wherry")
    container = run(refused, "wasm-fetch", authority, mounts=(hosts,))
    assert container.ended().exit_code == 1
    other = node.run(replace(annotated("wasm-fetch", outbound=["http://other.test"]), name="other"), "wherry")
    container = run(other, "wasm-fetch", authority, mounts=(hosts,))
    assert container.ended().exit_code == 1
    assert f'add "http://{authority}" to spec.capabilities.outboundHTTP' in container.out("stderr")


def test_a_well_behaved_pod_answers_beside_a_flooding_one(node: Containerd) -> None:
    bad = node.run(PodSpec("bad"), "wherry")
    run(bad, "wasm-hostile", "flood-log")
    pod = node.run(annotated("wasm-http", "http"), "wherry")
    assert pod.start(guest("wasm-http"))
    until(lambda: listens(pod.ip))
    assert get(pod.ip).startswith("hello from c")
