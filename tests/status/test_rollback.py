"""Which artifact runs, over several passes: updates that fail, going back by itself and by hand."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.status.loop import REPOSITORY, Loop, digest

V1, V2, V3 = f"{REPOSITORY}:v1", f"{REPOSITORY}:v2", f"{REPOSITORY}:v3"
ONE, TWO, THREE = digest(1), digest(2), digest(3)
AUTOMATIC = {"automaticRollback": True}


@pytest.fixture
def loop() -> Loop:
    """v1 and v3 work, v2 does not; v1 runs."""
    loop = Loop({V1: ONE, V2: TWO, V3: THREE}, {ONE, THREE}, {"artifact": V1, "rollout": AUTOMATIC})
    loop.rest()
    return loop


def _history(loop: Loop) -> list[str]:
    return [each.digest for each in loop.status.revisions]


def test_what_works_is_history_newest_first(loop: Loop) -> None:
    loop.edit(artifact=V3)
    loop.rest()
    assert (loop.deployed, loop.reason()) == (THREE, "Ready")
    assert _history(loop) == [THREE, ONE]


def test_a_digest_that_is_late_is_put_away_for_the_last_good_one(loop: Loop) -> None:
    loop.edit(artifact=V2)
    loop.rest()
    assert (loop.deployed, loop.reason("Progressing"), loop.reason()) == (ONE, "RolledBack", "RolledBack")
    assert [each.digest for each in loop.status.rejected] == [TWO]
    assert _history(loop) == [ONE]
    assert loop.spec["artifact"] == V2, "the spec is the user's"


def test_an_operator_that_is_killed_after_its_decision_acts_on_it_when_it_is_back(loop: Loop) -> None:
    loop.edit(artifact=V2)
    loop.run()
    assert loop.reason("Progressing") == "RolledBack"
    decided = loop.status
    loop.run()
    acted = loop.deployed
    loop.status, loop.deployed = decided, TWO
    loop.run()
    assert loop.deployed == acted == ONE


def test_an_app_at_rest_asks_no_registry_whatever_runs(loop: Loop) -> None:
    loop.edit(artifact=V2)
    loop.rest()
    loop.asked.clear()
    loop.rest()
    assert loop.asked == []


def test_what_was_put_away_is_tried_again_when_the_user_asks_for_it(loop: Loop) -> None:
    loop.edit(artifact=V2)
    loop.rest()
    loop.works.add(TWO)
    loop.rest()
    assert loop.deployed == ONE, "nobody has asked"
    loop.refresh = "again"
    loop.rest()
    assert (loop.deployed, loop.reason(), loop.status.rejected) == (TWO, "Ready", ())


def test_a_tag_that_still_points_at_what_was_put_away_changes_nothing_when_it_is_looked_up_again(loop: Loop) -> None:
    loop.edit(artifact=V2, pull={"refresh": "10s"})
    for _ in range(4):
        loop.run()
    assert (loop.deployed, loop.reason()) == (ONE, "RolledBack")
    loop.asked.clear()
    loop.run()
    assert loop.asked == [V2], "what runs in its place is remembered"
    loop.tags[V2] = THREE
    loop.run()
    assert (loop.deployed, loop.reason()) == (THREE, "Ready")


def test_the_first_digest_of_all_stays_for_want_of_a_better_one() -> None:
    loop = Loop({V2: TWO}, set(), {"artifact": V2, "rollout": AUTOMATIC})
    loop.rest()
    assert (loop.deployed, loop.reason(), loop.status.rejected) == (TWO, "DeadlineExceeded", ())


def test_nothing_is_put_away_unless_the_app_asks_for_it(loop: Loop) -> None:
    loop.edit(artifact=V2, rollout=None)
    loop.rest()
    assert (loop.deployed, loop.reason(), loop.status.rejected) == (TWO, "DeadlineExceeded", ())


def test_the_last_good_digest_is_not_to_blame_for_a_rollout_that_fails(loop: Loop) -> None:
    loop.edit(artifact=V3)
    loop.rest()
    loop.works.clear()
    loop.edit(env=[{"name": "MODE", "value": "broken"}])
    loop.rest()
    assert (loop.deployed, loop.reason(), loop.status.rejected) == (THREE, "DeadlineExceeded", ())


def test_a_rollback_by_hand_runs_the_revision_until_spec_artifact_changes(loop: Loop) -> None:
    loop.edit(artifact=V3)
    loop.rest()
    loop.edit(rollback={"digest": ONE, "artifact": V3})
    loop.rest()
    assert (loop.deployed, loop.reason()) == (ONE, "Ready")
    assert _history(loop) == [ONE, THREE], "what runs is the newest; it is there once"
    assert loop.status.revisions[0].reference == V1, "people know it by its tag"
    loop.edit(artifact=V1)
    loop.rest()
    assert loop.reason() == "Ready"
    loop.edit(artifact=V3)
    loop.rest()
    assert loop.deployed == ONE, "the same artifact again, and the rollback that was written for it"


def test_a_rollback_by_hand_is_not_undone_by_itself(loop: Loop) -> None:
    loop.edit(artifact=V3)
    loop.rest()
    loop.works.discard(ONE)
    loop.edit(rollback={"digest": ONE, "artifact": V3})
    loop.rest()
    assert (loop.deployed, loop.reason(), loop.status.rejected) == (ONE, "DeadlineExceeded", ())


def test_a_rollback_to_a_digest_that_never_ran_is_looked_for_where_the_artifact_is(loop: Loop) -> None:
    loop.edit(rollback={"digest": THREE, "artifact": V1})
    loop.rest()
    assert loop.asked[-1] == f"{REPOSITORY}@{THREE}"
    assert (loop.deployed, loop.reason()) == (THREE, "Ready")


def test_history_has_its_limit(loop: Loop) -> None:
    loop.edit(artifact=V3, rollout={"historyLimit": 1})
    loop.rest()
    assert _history(loop) == [THREE]


@pytest.mark.parametrize(("limit", "kept"), [(1, [digest(4)]), (10, [digest(4), TWO])])
def test_a_tag_that_moves_from_bad_to_bad_puts_both_away_within_the_limit(
    loop: Loop, limit: int, kept: list[str]
) -> None:
    loop.edit(artifact=V2, pull={"refresh": "10s"}, rollout=AUTOMATIC | {"historyLimit": limit})
    for target in (TWO, digest(4)):
        loop.tags[V2] = target
        for _ in range(3):
            loop.run()
    assert [each.digest for each in loop.status.rejected] == kept
    assert (loop.deployed, loop.reason()) == (ONE, "RolledBack")


class AnyOrder(RuleBasedStateMachine):
    """Edits, moved tags and broken digests in any order, with passes in between."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = Loop({V1: ONE, V2: TWO, V3: THREE}, {ONE}, {"artifact": V1, "rollout": AUTOMATIC})
        self.loop.rest()

    @rule(artifact=st.sampled_from([V1, V2, V3, f"{REPOSITORY}:none"]))
    def names_another_artifact(self, artifact: str) -> None:
        self.loop.edit(artifact=artifact)

    @rule(tag=st.sampled_from([V1, V2, V3]), which=st.sampled_from([ONE, TWO, THREE]))
    def moves_a_tag(self, tag: str, which: str) -> None:
        self.loop.tags[tag] = which

    @rule(which=st.sampled_from([TWO, THREE]))
    def mends_or_breaks(self, which: str) -> None:
        self.loop.works ^= {which}

    @rule(number=st.integers(0, 2))
    def asks_again(self, number: int) -> None:
        self.loop.refresh = str(number)

    @rule(which=st.none() | st.sampled_from([ONE, TWO, THREE]))
    def goes_back_by_hand(self, which: str | None) -> None:
        self.loop.edit(rollback={"digest": which, "artifact": self.loop.spec["artifact"]} if which else None)

    @rule()
    def passes(self) -> None:
        self.loop.run()

    @invariant()
    def comes_to_rest_on_something_that_works_or_says_why_not(self) -> None:
        before = self.loop.status, self.loop.deployed
        self.loop.rest()
        asked = len(self.loop.asked)
        self.loop.rest()
        assert self.loop.deployed in self.loop.works or self.loop.reason() in ("DeadlineExceeded", "NotFound")
        assert self.loop.reason() == "NotFound" or len(self.loop.asked) == asked, "at rest, no registry is asked"
        rejected = {each.digest for each in self.loop.status.rejected}
        assert self.loop.reason() == "NotFound" or self.loop.deployed not in rejected
        self.loop.status, self.loop.deployed = before


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(max_examples=60, stateful_step_count=15)
