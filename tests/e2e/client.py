"""An ordinary container that asks apps by the names of their Services, once or without end."""

from __future__ import annotations

import json
from dataclasses import dataclass

from tests.e2e.cluster import Manifest
from tests.e2e.namespace import Namespace

# A connection for each request, as most clients of a Service have; `answers` counts statuses, `faults` what had none.
LOAD = """
import collections, http.client, json, signal, sys, threading, time
host, path, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
answers, faults, end, lock = collections.Counter(), collections.Counter(), threading.Event(), threading.Lock()
times = []
signal.signal(signal.SIGTERM, lambda *_: end.set())
def ask():
    connection = http.client.HTTPConnection(host, timeout=10)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        return answers, answer.status
    except OSError as fault:
        return faults, repr(fault)
    finally:
        connection.close()
def work():
    while not end.is_set():
        count, what = ask()
        with lock:
            count[what] += 1
            if what != 200:
                times.append(time.monotonic())
        end.wait(0.01)
workers = [threading.Thread(target=work) for _ in range(threads)]
for each in workers: each.start()
print("started", flush=True)
for each in workers: each.join()
disturbed = max(times) - min(times) if times else 0
print(json.dumps({"answers": answers, "faults": faults, "disturbed": disturbed}), flush=True)
"""
ASK = """
import json, sys, urllib.error, urllib.request
url, method, body = sys.argv[1:]
request = urllib.request.Request(url, body.encode() or None, method=method)
try:
    answer = urllib.request.urlopen(request, timeout=20)
except urllib.error.HTTPError as error:
    answer = error
except OSError as fault:
    print(json.dumps([0, repr(fault)])); sys.exit()
print(json.dumps([answer.status, answer.read().decode(errors="replace")]))
"""


@dataclass(frozen=True)
class Answer:
    """status: 0 when there was none; body is then why."""

    status: int
    body: str


@dataclass(frozen=True)
class Load:
    """What came of many requests. faults: connections that failed, by what they failed of.

    disturbed: seconds from the first that was not answered by 200 to the last.
    """

    answers: dict[str, int]
    faults: dict[str, int]
    disturbed: float

    @property
    def failed(self) -> dict[str, int]:
        """Everything but 200, by name."""
        return {name: count for name, count in {**self.answers, **self.faults}.items() if name != "200"}

    @property
    def served(self) -> int:
        return self.answers.get("200", 0)


class Client:
    """A Pod of the namespace that only waits to be told what to ask."""

    NAME = "client"

    def __init__(self, namespace: Namespace) -> None:
        self.namespace = namespace
        namespace.apply(pod(namespace, self.NAME, "import signal; signal.sigwait([signal.SIGTERM])"))
        namespace.eventually("the client runs", lambda: phase(namespace, self.NAME) == "Running")

    def ask(self, url: str, method: str = "GET", body: str = "") -> Answer:
        """One request from inside the cluster."""
        exec_ = ("exec", self.NAME, "--namespace", self.namespace.name, "--")
        said = self.namespace.cluster.kubectl(*exec_, "python", "-c", ASK, url, method, body)
        return Answer(*json.loads(said))

    def get(self, url: str) -> str:
        """The body of a 200, for which it waits: kube-proxy hears of a Service when its app is ready already."""

        def answered() -> list[str]:
            answer = self.ask(url)
            return [answer.body] if answer.status == 200 else []

        return self.namespace.eventually(f"{url} answers", answered)[0]


class Loading:
    """A Pod that asks without end, `threads` at a time, from its making until `stop`."""

    def __init__(self, namespace: Namespace, host: str, path: str = "/", threads: int = 4, name: str = "load") -> None:
        self.namespace, self.name = namespace, name
        namespace.apply(pod(namespace, name, LOAD, host, path, str(threads)))
        namespace.eventually(f"{name} asks", lambda: "started" in self._said())

    def stop(self) -> Load:
        cluster, here = self.namespace.cluster, ("--namespace", self.namespace.name)
        cluster.kubectl("exec", self.name, *here, "--", "python", "-c", "import os; os.kill(1, 15)")
        self.namespace.eventually(f"{self.name} ends", lambda: phase(self.namespace, self.name) == "Succeeded")
        found = json.loads(self._said().splitlines()[-1])
        self.namespace.delete("pod", self.name)
        return Load(**found)

    def _said(self) -> str:
        return self.namespace.cluster.kubectl("logs", self.name, "-n", self.namespace.name, check=False)


def pod(namespace: Namespace, name: str, script: str, *arguments: str) -> Manifest:
    """An ordinary Pod that runs a Python script."""
    container = {
        "name": "python",
        "image": namespace.cluster.image("runner"),
        "command": ["python", "-c", script, *arguments],
    }
    spec = {"containers": [container], "restartPolicy": "Never", "terminationGracePeriodSeconds": 1}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


def phase(namespace: Namespace, name: str) -> str:
    found: str = namespace.get("pod", name).get("status", {}).get("phase", "")
    return found
