"""The agent's judgement: what it does next, for everything that it may know of a node."""

from __future__ import annotations

from dataclasses import replace

import pytest

from wherry_agent.decision import FIRST_PAUSE, LONGEST_PAUSE, PATIENCE, Known, Step, decide, pause

GOOD = Known(
    ordered=False,
    answered=False,
    installed=True,
    settled=True,
    proven=True,
    sick=0.0,
    marked=True,
    failures=0,
    pause=0.0,
)
NEW = replace(GOOD, installed=False, settled=False, proven=False, marked=False)
ORDERED = replace(GOOD, ordered=True)


@pytest.mark.parametrize(
    ("known", "step"),
    [
        pytest.param(NEW, Step.INSTALL, id="a new node gets an installation"),
        pytest.param(replace(NEW, failures=1, pause=5.0), Step.REST, id="one that failed waits"),
        pytest.param(replace(NEW, marked=True), Step.WITHDRAW, id="a node made anew loses its old label first"),
        pytest.param(GOOD, Step.REST, id="nothing is done where all is well"),
        pytest.param(replace(GOOD, marked=False), Step.MARK, id="a label that somebody removed comes back"),
        pytest.param(replace(GOOD, proven=False, marked=False), Step.INSTALL, id="no label without a probe"),
        pytest.param(replace(GOOD, settled=False), Step.INSTALL, id="a changed file is looked at"),
        pytest.param(replace(GOOD, sick=PATIENCE - 1), Step.REST, id="systemd starts the zygote first"),
        pytest.param(replace(GOOD, sick=PATIENCE), Step.INSTALL, id="a zygote that stays away is helped"),
        pytest.param(
            replace(GOOD, sick=PATIENCE, failures=1, pause=5.0), Step.WITHDRAW, id="no label when help has failed"
        ),
        pytest.param(
            replace(GOOD, settled=False, failures=3, pause=5.0),
            Step.REST,
            id="an upgrade that was rolled back leaves the label: the old version works",
        ),
        pytest.param(ORDERED, Step.WITHDRAW, id="before an uninstall no pods come"),
        pytest.param(replace(ORDERED, marked=False), Step.UNINSTALL, id="then it is uninstalled"),
        pytest.param(replace(ORDERED, marked=False, pause=3.0), Step.REST, id="a refused uninstall waits"),
        pytest.param(replace(ORDERED, marked=False, installed=False), Step.ANSWER, id="and told"),
        pytest.param(
            replace(ORDERED, marked=False, installed=False, answered=True), Step.REST, id="once: nothing comes back"
        ),
        pytest.param(
            replace(ORDERED, installed=False, marked=False, sick=99.0, settled=False, answered=True),
            Step.REST,
            id="no zygote is missed on a node that is to be without",
        ),
    ],
)
def test_the_next_step_follows_from_what_is_known(known: Known, step: Step) -> None:
    assert decide(known) is step


def test_pauses_double_up_to_a_longest() -> None:
    assert [pause(failures) for failures in range(4)] == [0.0, FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE]
    assert pause(1000) == LONGEST_PAUSE
