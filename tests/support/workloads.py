"""The same work for every runtime handler: a Wasm artifact for `wherry`, a static C program for `runc`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.support import images
from tests.support.cri_configs import ContainerSpec, PodSpec
from wherry.oci.digest import digest_of


@dataclass(frozen=True)
class Workload:
    """image: a repository of tests/support/images.py. line: what the log says when it runs, if anything."""

    image: str
    line: str
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    annotations: Mapping[str, str] = field(default_factory=dict)

    def pod(self, name: str, *, host_network: bool = False) -> PodSpec:
        return PodSpec(name, annotations=self.annotations, host_network=host_network)

    def container(self) -> ContainerSpec:
        return ContainerSpec(images.reference(self.image), self.command, self.args)


@dataclass(frozen=True)
class Side:
    """A runtime handler with what it runs: hold says a line and waits, http answers on a port."""

    name: str
    handler: str
    hold: Workload
    http: Workload
    port: int


def plan(image: str, run: str, **fields: object) -> dict[str, str]:
    """The annotation of a pod whose container `app` runs an artifact of images.WASM, as the operator renders it."""
    digest = digest_of(images.WASM[image]().read_bytes())
    limits = {"memory": 128 << 20, "timeout": 30.0 if run == "http" else None, "fuel": None, "concurrency": 16}
    return {"plan.wherry.dev/app": json.dumps({"v": 1, "run": run, "wasm": digest, "limits": limits, **fields})}


def side(name: str, port: int = 8080) -> Side:
    """`wherry…`, or a native one: `runc`, and `runc-again`, which is the same and shows what a comparison is worth."""
    if name.startswith("wherry"):
        served = plan("wasm-http", "http", http={"port": port, "drain": 1.0})
        hold = Workload("wasm-hold", "holding", ("/app.wasm",), annotations=plan("wasm-hold", "command"))
        return Side(name, name, hold, Workload("wasm-http", "", ("/app.wasm",), annotations=served), port)
    http = Workload("httpd", "listening", args=(str(port),))
    return Side(name, name.removesuffix("-again"), Workload("hold", "holding"), http, port)
