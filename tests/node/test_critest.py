"""A part of critest, with local stand-ins for its images; `python -m tests.node.critest` runs all of it."""

from __future__ import annotations

import pytest

from tests.node.critest import results, run, worse

SOME = "starting container with log|public image with tag|runtime should support running PodSandbox"


@pytest.mark.peer
@pytest.mark.slow
def test_specs_of_pods_logs_and_images_pass_with_runc_and_with_wherry() -> None:
    """On 2.3 alone: 1.7 does not tell its cgroup driver, and critest then takes it for systemd's."""
    reference = run("2.3", "runc", SOME)
    assert set(reference.values()) <= {"passed", "skipped"}
    assert sum(state == "passed" for state in reference.values()) >= 3
    assert worse(reference, run("2.3", "wherry", SOME)) == []


def test_a_report_tells_of_each_spec_what_became_of_it() -> None:
    spec = {
        "LeafNodeType": "It",
        "ContainerHierarchyTexts": ["[k8s.io] Pod"],
        "LeafNodeText": "runs",
        "State": "passed",
    }
    reports = [spec, spec | {"LeafNodeText": "ends", "State": "timedout"}, {"LeafNodeType": "BeforeSuite"}]
    assert results([{"SpecReports": reports}]) == {"[k8s.io] Pod runs": "passed", "[k8s.io] Pod ends": "failed"}


def test_what_passes_with_the_reference_alone_is_worse() -> None:
    reference = {"one": "passed", "two": "passed", "three": "failed", "four": "passed"}
    assert worse(reference, {"one": "passed", "two": "failed", "three": "failed"}) == ["four", "two"]
