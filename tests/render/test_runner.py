"""executor: container, run as a kubelet runs it: the init container fetches from a real registry, the app's runs it.

The image is this environment, and the Pod's volumes are folders of a test.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cli.process import PATIENCE, WHERRY
from tests.cli.server import listened
from tests.render.cases import artifact_of
from tests.spec.apps import document
from tests.support import guests, kubelet
from tests.support.ports import free_port
from tests.support.registry import Registry, registry
from tests.support.token_server import PASSWORD, USER
from wherry.oci import registries
from wherry.oci.push import push
from wherry.spec.parse import read
from wherry_operator.desired.context import Context
from wherry_operator.desired.render import render
from wherry_operator.desired.runner import CACHE, LOGINS, PLAN, PULL

pytestmark = pytest.mark.slow
VOLUMES = PLAN.split("/")[1]


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry with a CA and a password of its own."""
    with registry(tmp_path_factory.mktemp("guarded"), tls=True, password=True) as server:
        yield server


@dataclass(frozen=True)
class Pod:
    """template: with the folder in place of the volumes' mount points."""

    template: Any
    folder: Path

    def process(self, name: str) -> subprocess.Popen[str]:
        """The container, started with what its Pod gives it and nothing else."""
        given = kubelet.started(self.template, name)
        assert given.command[0] == "wherry"
        env = {"PATH": os.environ["PATH"], "HOME": str(self.folder), **given.env}
        coverage = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE")}
        return subprocess.Popen(
            [str(WHERRY), *given.command[1:], *given.args],
            env=env | coverage,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def ended(self, name: str) -> tuple[int, str, str]:
        """Its exit code, output and errors."""
        with self.process(name) as process:
            out, err = process.communicate(timeout=PATIENCE)
            return process.returncode, out, err


def pod(guarded: Registry, folder: Path, wasm: Path, spec: Any) -> Pod:
    """What the operator renders for the app, and what a kubelet puts into its volumes."""
    reference = f"{guarded.host}/{wasm.stem}:v1"
    pushed = push(wasm, reference, guarded.access(folder / "pushed"))
    logins = {"pull": {"secrets": [{"name": "other"}, {"name": "ours"}]}}
    app = read(document({"artifact": reference, "executor": "container"} | logins | spec), "hello")
    said = {"digest": pushed.digest, "wasm": pushed.wasm, "kind": pushed.inspection.kind}
    assert guarded.entry
    ways = registries.dump({guarded.host: guarded.entry})
    objects = render(
        app,
        artifact_of(app, said | {"exports": [*pushed.inspection.exports]}),
        Context(runner_image="runner", registries=ways),
    )
    (template,) = (each["spec"]["template"] for each in objects if "template" in each["spec"])
    moved = json.loads(json.dumps(template).replace(f"/{VOLUMES}/", f"{folder}/"))
    fill(folder, moved, guarded)
    return Pod(moved, folder)


def fill(folder: Path, template: Any, guarded: Registry) -> None:
    cache, logins, plan = (folder / path.removeprefix(f"/{VOLUMES}/") for path in (CACHE, LOGINS, PLAN))
    for each in (cache, logins, plan.parent):
        each.mkdir()
    plan.write_text(template["metadata"]["annotations"]["plan.wherry.dev/app"])
    for name, host in (("other", "ghcr.io"), ("ours", guarded.host)):
        auths = {"auths": {host: {"username": USER, "password": PASSWORD}}}
        (logins / f"{name}.json").write_text(json.dumps(auths))


def test_a_command_is_fetched_by_its_digest_and_run_with_what_the_pod_gives(guarded: Registry, tmp_path: Path) -> None:
    env = [{"name": "NAME", "value": "Ahoy"}]
    found = pod(guarded, tmp_path, guests.command("echo"), {"args": ["a b", "$(NAME)"], "env": env})
    code, _, said = found.ended(PULL)
    assert code == 0, said
    code, out, said = found.ended("app")
    assert (code, out) == (0, "arg /app.wasm\narg a b\narg Ahoy\nenv NAME=Ahoy\n"), said


def test_its_exit_code_is_the_guests(guarded: Registry, tmp_path: Path) -> None:
    found = pod(guarded, tmp_path, guests.command("exit"), {"args": ["77"]})
    assert found.ended(PULL)[0] == 0
    assert found.ended("app")[0] == 77


def test_http_is_served_at_the_pods_port_and_drained(guarded: Registry, tmp_path: Path) -> None:
    port = free_port()
    found = pod(guarded, tmp_path, guests.http("hello"), {"port": port})
    assert found.ended(PULL)[0] == 0
    with found.process("app") as process, listened(process) as server:
        server.url = f"http://localhost:{port}"
        assert server.get()[0] == 200
        assert server.end(signal.SIGTERM) == 0


def test_what_is_not_the_plans_module_does_not_start(guarded: Registry, tmp_path: Path) -> None:
    found = pod(guarded, tmp_path, guests.command("exit"), {})
    (tmp_path / "cache" / "app.wasm").write_bytes(guests.command("echo").read_bytes())
    assert found.ended("app")[0] == 125
