"""Plans on one machine: what the app says, and what the command line gives or must still give."""

from __future__ import annotations

from typing import Any

import pytest

from tests.plan.guests import COMMAND, FILE, HTTP, LATER, LIBRARY, PREVIEW1, guest
from tests.spec.apps import document
from wherry.errors import InvalidApp
from wherry.plan.from_app import Local, from_app
from wherry.plan.locally import ignored
from wherry.plan.model import Limits, Mount, RunPlan
from wherry.spec.model import WasmApp
from wherry.spec.parse import read
from wherry.wasm.module import Inspection

VOLUMES = {"spec": {"volumes": [{"name": "data"}, {"name": "more"}]}}
GRANTS = {"files": [{"name": "more", "mountPath": "/z", "readOnly": False}, {"name": "data", "mountPath": "/a"}]}


def _app(**spec: Any) -> WasmApp:
    return read(document(spec), "app.yaml")


def _plan(app: WasmApp, said: Inspection = PREVIEW1, **local: Any) -> RunPlan:
    return from_app(app, guest(said), Local(**local))


def _faults(app: WasmApp, said: Inspection = PREVIEW1, **local: Any) -> list[str]:
    with pytest.raises(InvalidApp) as caught:
        _plan(app, said, **local)
    return str(caught.value).splitlines()


def test_the_smallest_app_of_an_http_component() -> None:
    limits = Limits(memory=128 << 20, timeout=30.0, fuel=None, concurrency=16)
    assert _plan(_app(), HTTP) == RunPlan(run="http", wasm=FILE, port=8080, drain=23.0, limits=limits)


def test_the_smallest_app_of_a_command() -> None:
    assert _plan(_app(), COMMAND) == RunPlan(run="command", wasm=FILE, port=0, limits=Limits(timeout=None))


@pytest.mark.parametrize(
    ("run", "said", "expected"),
    [
        pytest.param(None, HTTP, "http", id="a handler serves"),
        pytest.param(None, COMMAND, "command", id="wasi:cli/run runs"),
        pytest.param(None, PREVIEW1, "command", id="_start runs"),
        pytest.param("http", PREVIEW1, "http", id="_start serves as CGI when asked"),
        pytest.param("job", PREVIEW1, "command", id="a job runs once"),
        pytest.param("cron", COMMAND, "command", id="cron runs once"),
        pytest.param(None, LATER, "http", id="what the engine refuses by name passes"),
    ],
)
def test_how_a_guest_is_called(run: str | None, said: Inspection, expected: str) -> None:
    cron = {"cron": {"schedule": "@daily"}} if run == "cron" else {}
    assert _plan(_app(run=run, **cron), said).run == expected


@pytest.mark.parametrize(
    ("run", "said", "message"),
    [
        ("command", HTTP, "hello: spec.run: got command, expected http, as this component exports"),
        ("http", COMMAND, "hello: spec.run: got http, expected command, as this component exports"),
        ("job", HTTP, "hello: spec.run: got job, expected http, as this component exports"),
        (
            None,
            LIBRARY,
            "hello: spec.run: got a module without an entry, expected wasi:http/incoming-handler, wasi:cli/run or "
            "_start among the exports, as this module exports",
        ),
    ],
)
def test_a_run_that_the_module_has_not_is_refused(run: str | None, said: Inspection, message: str) -> None:
    assert _faults(_app(run=run), said) == [message]


def test_limits_are_passed_on_in_bytes_and_seconds() -> None:
    limits = {"memory": "1Mi", "timeout": "1500ms", "fuel": 5, "concurrency": 2}
    assert _plan(_app(limits=limits)).limits == Limits(memory=1 << 20, timeout=1.5, fuel=5, concurrency=2)


def test_origins_are_in_normal_form_and_order() -> None:
    origins = ["HTTPS://B.example:443", "http://a.example:8080"]
    assert _plan(_app(capabilities={"outboundHTTP": origins})).outbound == (
        "https://b.example",
        "http://a.example:8080",
    )


def test_variables_and_arguments_are_expanded_as_in_a_pod() -> None:
    env = [{"name": "B", "value": "$(A)$(C)$$(A)"}, {"name": "A", "value": "x"}, {"name": "C", "value": "$(A)y"}]
    plan = _plan(_app(env=env, args=["$(C)", "$(NONE)", "$A"]))
    assert plan.env == (("A", "x"), ("B", "$(A)$(C)$(A)"), ("C", "xy"))
    assert plan.argv == ("/app.wasm", "xy", "$(NONE)", "$A")


def test_the_command_line_has_the_last_word() -> None:
    app = _app(args=["a"], port=1, env=[{"name": "A", "value": "app"}, {"name": "B", "value": "$(A)"}])
    plan = _plan(app, HTTP, env={"A": "mine", "NEW": "n"}, args=("b", "$(NEW)"), port=9000)
    assert plan.env == (("A", "mine"), ("B", "mine"), ("NEW", "n"))
    assert plan.argv == ("/app.wasm", "b", "n")
    assert plan.port == 9000


def test_folders_are_mounted_where_the_app_wants_them() -> None:
    app = _app(capabilities=GRANTS, podTemplate=VOLUMES)
    plan = _plan(app, mounts={"data": "/srv/d", "more": "/srv/m"})
    assert plan.mounts == (Mount("/srv/d", "/a", readonly=True), Mount("/srv/m", "/z", readonly=False))


def test_everything_that_only_a_cluster_has_is_asked_for_at_once() -> None:
    env = [{"name": "T", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]
    sources = [{"prefix": "P_", "configMapRef": {"name": "c"}}, {"secretRef": {"name": "s"}}]
    app = _app(env=env, envFrom=sources, capabilities=GRANTS, podTemplate=VOLUMES)
    elsewhere = "got a source in a cluster, expected its value on this machine"
    assert _faults(app, mounts={"data": "/srv", "dat": "/srv"}) == [
        f"hello: spec.envFrom[0]: {elsewhere}, give --env P_NAME=VALUE or --env-file FILE",
        f"hello: spec.envFrom[1]: {elsewhere}, give --env NAME=VALUE or --env-file FILE",
        f"hello: spec.env[0].valueFrom: {elsewhere}, give --env T=VALUE or --env-file FILE",
        "hello: spec.capabilities.files[0]: got no folder on this machine, expected one for /z, give --mount more=DIR",
        "hello: --mount dat: got a folder that the app does not ask for, "
        "expected a name of spec.capabilities.files: data, more, try data",
    ]


def test_what_a_pod_may_start_without_is_not_asked_for() -> None:
    optional = {"name": "s", "key": "k", "optional": True}
    env = [{"name": "T", "valueFrom": {"secretKeyRef": optional}}]
    app = _app(env=env, envFrom=[{"secretRef": {"name": "s", "optional": True}}])
    assert _plan(app).env == ()


def test_what_means_nothing_here_is_listed_when_it_was_set() -> None:
    app = _app(run="http", replicas=3, resources={}, expose={"ingress": {}}, limits={"memory": "1Mi"}, args=["a"])
    assert ignored(app) == ("spec.replicas", "spec.expose", "spec.resources")
    assert ignored(_app(port=80, env=[{"name": "A"}], capabilities={"outboundHTTP": ["http://a"]})) == ()
