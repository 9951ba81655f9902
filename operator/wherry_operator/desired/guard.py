"""What `podTemplate` may not change: what would make the Pod run something else than its WasmApp says.

Everything else of a Pod is the user's. A change is refused, not overruled, so that nobody wonders why it has no effect.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from wherry.errors import FieldError
from wherry.plan.annotation import PREFIX
from wherry.spec.pod import PodMetadata
from wherry.spec.shape import Wrong
from wherry.spec.wording import describe
from wherry_operator import labels
from wherry_operator.desired.container import NAME

Fields = Mapping[str, Any]

_FIXED = ("image", "command", "args")
_GRANTS = ("env", "envFrom", "volumeMounts")
"""A guest of a node's shim would not see more of these: a WasmApp grants them. The engine in a container has its own
uses for more."""
_CURES: Mapping[str, str] = {
    "image": "set spec.artifact",
    "args": "set spec.args",
    "env": "set spec.env",
    "envFrom": "set spec.envFrom",
    "volumeMounts": "set spec.capabilities.files",
    "ports": "set spec.port",
}
_LABELS = (labels.APP,)
_ANNOTATIONS = (f"{PREFIX}{NAME}", labels.INPUTS)


@dataclass(frozen=True, slots=True)
class Merge:
    """One merge of a specification: what it was before and is after, the patch, and the patch's path."""

    ours: Fields
    merged: Fields
    patch: Fields
    at: str


def check_metadata(given: PodMetadata, at: str) -> None:
    """Raises Wrong."""
    taken = [
        FieldError(f"{at}.{kind}[{name}]", describe(found[name]), "a name that the operator does not write")
        for kind, found, ours in (
            ("labels", given.labels, _LABELS),
            ("annotations", given.annotations, _ANNOTATIONS),
        )
        for name in ours
        if name in found
    ]
    if taken:
        raise Wrong(*taken)


def check_spec(merge: Merge) -> None:
    """Raises Wrong with every fault."""
    faults = [*_runtime(merge), *_containers(merge, "containers"), *_containers(merge, "initContainers")]
    if faults := [*faults, *_volumes(merge)]:
        raise Wrong(*faults)


def _runtime(merge: Merge) -> Iterator[FieldError]:
    """With the engine in a container, a RuntimeClass is the user's choice."""
    ours, found = (each.get("runtimeClassName") for each in (merge.ours, merge.merged))
    if ours and found != ours:
        yield FieldError(f"{merge.at}.runtimeClassName", describe(found), ours, "set spec.executor: container")


def _containers(merge: Merge, where: str) -> Iterator[FieldError]:
    """Of the containers before the merge, the first is ours; what follows are the user's own."""
    for ours in merge.ours.get(where, ())[:1]:
        found = next((each for each in merge.merged.get(where, ()) if each["name"] == ours["name"]), None)
        if found is None:
            at = f"{merge.at}.{where}"
            yield FieldError(at, f"a list without {ours['name']}", f"the container {ours['name']} in it")
        else:
            at = place(merge.patch, where, ours["name"], merge.at)
            yield from _container(ours, found, at, "runtimeClassName" in merge.ours)


def _container(ours: Fields, found: Fields, at: str, on_a_node: bool) -> Iterator[FieldError]:
    fixed = (*_FIXED, *_GRANTS) if on_a_node else _FIXED
    for field in (*_FIXED, *_GRANTS, "ports"):
        rendered, given = ours.get(field), found.get(field)
        if given != rendered if field in fixed else not _keeps(given, rendered):
            cure = _CURES.get(field, "") if ours["name"] == NAME else ""
            yield FieldError(f"{at}.{field}", _what(given), "what is rendered", cure)


def _volumes(merge: Merge) -> Iterator[FieldError]:
    found = merge.merged.get("volumes", ())
    for volume in merge.ours.get("volumes", ()):
        if volume not in found:
            yield FieldError(f"{merge.at}.volumes", f"another {volume['name']}", "another name")


def _keeps(given: object, rendered: Iterable[Fields] | None) -> bool:
    """Whether every item is still there, whatever it got in addition."""
    items = given if isinstance(given, list) else []
    return all(any(each.items() <= item.items() for item in items) for each in rendered or ())


def _what(value: object) -> str:
    """A list of words is a command line."""
    if not value:
        return "nothing"
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return describe(" ".join(value))
    return describe(value)


def place(patch: Fields, where: str, name: str, at: str) -> str:
    """The path of a container as the user wrote it."""
    listed = patch.get(where)
    for index, each in enumerate(listed if isinstance(listed, list | tuple) else ()):
        if isinstance(each, Mapping) and each.get("name") == name:
            return f"{at}.{where}[{index}]"
    return f"{at}.{where}"
