"""What is remembered of objects of one kind when they come in any order: nothing goes back, nothing stays behind."""

from __future__ import annotations

from typing import Any

from wherry_operator.cluster.objects import Objects
from wherry_operator.manifest import Key, Manifest

A, B = Key("n", "a"), Key("n", "b")


def _object(app: str, version: int, uid: str = "u1", name: str = "o", **rest: Any) -> Manifest:
    labels = {"wherry.dev/app": app} if app else {}
    metadata = {"namespace": "n", "name": name, "uid": uid, "resourceVersion": str(version), "labels": labels}
    return {"kind": "Deployment", "metadata": metadata} | rest


def _objects() -> tuple[Objects, list[Key]]:
    told: list[Key] = []
    return Objects(told.append), told


def _versions(objects: Objects, key: Key) -> list[str]:
    return [each["metadata"]["resourceVersion"] for each in objects.of(key)]


def test_what_a_write_answered_is_there_and_the_watch_tells_nothing_new() -> None:
    objects, told = _objects()
    objects.saw(_object("a", 5))
    objects.put(_object("a", 5))
    assert (_versions(objects, A), told) == (["5"], [])


def test_a_watch_that_lags_behind_a_write_changes_nothing() -> None:
    objects, told = _objects()
    objects.saw(_object("a", 10))
    objects.put(_object("a", 9))
    assert (_versions(objects, A), told) == (["10"], [])


def test_a_deletion_that_is_told_late_spares_what_was_made_anew() -> None:
    objects, _ = _objects()
    objects.put(_object("a", 5))
    objects.saw(_object("a", 9, uid="u2"))
    objects.remove(_object("a", 8, uid="u1"))
    assert _versions(objects, A) == ["9"]


def test_what_is_deleted_is_told_once_and_forgotten() -> None:
    objects, told = _objects()
    objects.put(_object("a", 5))
    objects.remove(_object("a", 6))
    objects.remove(_object("a", 6))
    assert (objects.of(A), objects.apps(), told) == ((), (), [A, A])


def test_an_object_of_another_app_now_leaves_the_first() -> None:
    objects, told = _objects()
    objects.put(_object("a", 5))
    objects.put(_object("b", 6))
    assert (objects.of(A), _versions(objects, B), told) == ((), ["6"], [A, A, B])


def test_an_object_of_nobody_is_left_out() -> None:
    objects, told = _objects()
    objects.put(_object("", 5))
    assert (len(objects), told) == (0, [])


def test_after_a_list_of_one_namespace_those_of_others_stay() -> None:
    objects, _ = _objects()
    other = {"namespace": "m", "name": "o", "uid": "u3", "resourceVersion": "4", "labels": {"wherry.dev/app": "a"}}
    for each in (_object("a", 5), _object("a", 6, uid="u2", name="p"), {"kind": "Deployment", "metadata": other}):
        objects.put(each)
    objects.keep("n", {("n", "p")})
    assert (_versions(objects, A), _versions(objects, Key("m", "a"))) == (["6"], ["4"])


def test_what_is_read_is_the_readers_own() -> None:
    objects, _ = _objects()
    objects.put(_object("a", 5, spec={"replicas": 1}))
    objects.of(A)[0]["spec"]["replicas"] = 2
    assert objects.of(A)[0]["spec"] == {"replicas": 1}


def test_objects_of_an_app_come_in_the_order_of_their_names() -> None:
    objects, _ = _objects()
    for number, name in enumerate(("c", "a", "b")):
        objects.put(_object("a", number + 1, uid=name, name=name))
    assert [each["metadata"]["name"] for each in objects.of(A)] == ["a", "b", "c"]
