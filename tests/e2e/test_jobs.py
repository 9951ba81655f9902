"""Programs that end."""

from __future__ import annotations

import pytest

from tests.e2e.namespace import Namespace
from tests.e2e.programs import HELLO

pytestmark = [pytest.mark.peer, pytest.mark.slow]

GREETED = "Hello from the command line"


def test_a_job_runs_once_and_again_when_asked(namespace: Namespace) -> None:
    namespace.app("greet", artifact=namespace.push(HELLO), run="job")
    namespace.eventually("it is complete", lambda: namespace.condition("greet", "Available")[1] == "JobComplete")
    assert GREETED in namespace.logs("greet")
    namespace.cluster.kubectl("annotate", "wasmapp", "greet", "wherry.dev/run-again=1", "-n", namespace.name)
    namespace.eventually("there is another", lambda: len(namespace.listed("jobs", "wherry.dev/app=greet")) == 2)
    namespace.eventually("it is complete", lambda: namespace.condition("greet", "Available")[1] == "JobComplete")


def test_a_cron_job_runs_by_its_schedule(namespace: Namespace) -> None:
    namespace.app("tick", artifact=namespace.push(HELLO), run="cron", cron={"schedule": "* * * * *"})
    namespace.eventually("it is scheduled", lambda: namespace.condition("tick", "Available")[1] == "Scheduled")
    namespace.eventually("it has run", lambda: GREETED in namespace.logs("tick"), within=120)
