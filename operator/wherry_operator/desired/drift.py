"""Whether an object is as it was rendered, whatever the API server and other managers have added to it.

At rest nothing is applied. A difference that is none costs one apply that changes nothing; one that is not seen loses a
repair: where this module cannot tell, it says that there is one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wherry.errors import InvalidValue
from wherry.spec.quantity import parse_quantity
from wherry_operator import labels
from wherry_operator.desired import strategic
from wherry_operator.desired.kinds import JOB
from wherry_operator.manifest import Manifest

_KEYED = frozenset({*strategic.KEYS, "ownerReferences"})
"""Lists to which others may add items. Every other list is one manager's."""
_QUANTITIES = frozenset({"limits", "requests", "overhead", "capacity"})
"""Mappings of quantities, which the API server writes in its own way."""
_QUANTITY = frozenset({"sizeLimit", "divisor"})
_FALSE = frozenset({"readOnly", "hostNetwork", "hostPID", "hostIPC", "stdin", "stdinOnce", "tty"})
_ZERO = frozenset({"initialDelaySeconds", "hostPort", "minReadySeconds", "weight"})
"""Fields of which the API server does not keep what is nothing; of others, absence is something else."""


def needs_apply(wanted: Manifest, observed: Manifest | None, last_job: str = "") -> bool:
    """observed: as the API server last told of it; None when it is not there.

    last_job: of the app's status. A Job that was made and is not there was removed, by its TTL or by a person: it is
    not made again, because that would run it again.
    """
    if observed is None:
        return not (_is_job(wanted) and wanted["metadata"]["name"] == last_job)
    if _is_job(wanted):  # a later operator may render other templates; what runs under this name is what was asked for
        return not _holds("", _without_template(wanted), observed)
    return _rendered(wanted) != _rendered(observed) or not _holds("", wanted, observed)


def to_apply(wanted: Manifest, observed: Manifest | None) -> Manifest:
    """What to send: a Job that is there keeps its template, because that is immutable."""
    if observed is None or not _is_job(wanted):
        return wanted
    return {**wanted, "spec": {**wanted["spec"], "template": observed["spec"]["template"]}}


def _is_job(manifest: Manifest) -> bool:
    return (manifest["apiVersion"], manifest["kind"]) == JOB


def _rendered(manifest: Manifest) -> str | None:
    annotations: Mapping[str, str] = manifest["metadata"].get("annotations") or {}
    return annotations.get(labels.RENDERED)


def _without_template(job: Manifest) -> Manifest:
    spec = {name: each for name, each in job["spec"].items() if name != "template"}
    kept = {name: each for name, each in job["metadata"]["annotations"].items() if name != labels.RENDERED}
    return {**job, "spec": spec, "metadata": {**job["metadata"], "annotations": kept}}


def _holds(name: str, wanted: Any, observed: Any) -> bool:
    """Whether all that is wanted is there. name: of the field, which says how to compare."""
    if observed is None:
        return _is_nothing(name, wanted)
    if isinstance(wanted, Mapping):
        if not isinstance(observed, Mapping):
            return False
        inside = name if name in _QUANTITIES else ""
        return all(_holds(inside or each, value, observed.get(each)) for each, value in wanted.items())
    if isinstance(wanted, list):
        return isinstance(observed, list) and _holds_list(name, wanted, observed)
    return _is_same(name, wanted, observed)


def _holds_list(name: str, wanted: Sequence[Any], observed: Sequence[Any]) -> bool:
    """In a keyed list, others' items may lie between ours."""
    if name not in _KEYED:
        return len(wanted) == len(observed) and all(map(_holds, [""] * len(wanted), wanted, observed))
    there = iter(observed)
    return all(any(_holds("", each, candidate) for candidate in there) for each in wanted)


def _is_same(name: str, wanted: object, observed: object) -> bool:
    if wanted is None:
        return True
    if name in _QUANTITIES or name in _QUANTITY:
        return wanted == observed or _amount(wanted) == _amount(observed) is not None
    return wanted == observed and isinstance(wanted, bool) == isinstance(observed, bool)


def _amount(value: object) -> object:
    try:
        return parse_quantity(str(value))
    except InvalidValue:
        return None


def _is_nothing(name: str, wanted: Any) -> bool:
    """Whether the API server leaves it out, so that its absence is what is wanted."""
    if isinstance(wanted, Mapping):
        return all(_is_nothing(each, value) for each, value in wanted.items())
    if isinstance(wanted, bool):
        return not wanted and name in _FALSE
    if isinstance(wanted, int | float):
        return wanted == 0 and name in _ZERO
    return wanted in (None, "", [])
