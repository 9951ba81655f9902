"""Strategic merge patch over a Pod's specification, as `kubectl patch` and the API server do it.

Mappings are merged. A list that has a key in Kubernetes' API is merged item by item, every other one is replaced; null
removes. Of the directives, `$patch` (replace, delete) and `$retainKeys` are for people; those that only programs write
are refused. Where Kubernetes would carry a null or a directive on that meets nothing, it is dropped.

https://github.com/kubernetes/community/blob/master/contributors/devel/sig-api-machinery/strategic-merge-patch.md
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from wherry.errors import FieldError
from wherry.spec.shape import Wrong
from wherry.spec.wording import describe

DIRECTIVE = "$patch"
RETAIN = "$retainKeys"
KEYS: Mapping[str, str] = {
    "containers": "name",
    "env": "name",
    "ephemeralContainers": "name",
    "hostAliases": "ip",
    "imagePullSecrets": "name",
    "initContainers": "name",
    "ports": "containerPort",
    "resourceClaims": "name",
    "schedulingGates": "name",
    "topologySpreadConstraints": "topologyKey",
    "volumeDevices": "devicePath",
    "volumeMounts": "mountPath",
    "volumes": "name",
}
"""The lists of a PodSpec that are merged, and the field that names their items (`patchMergeKey` in k8s.io/api)."""

Fields = Mapping[str, Any]


def merge(original: Fields, patch: Fields, at: str) -> dict[str, Any]:
    """A new mapping; neither argument is changed. at: the patch's path, for messages. Raises Wrong."""
    if DIRECTIVE in patch:
        return _directed(patch, at)
    merged = _retained(original, patch, at)
    for name, change in patch.items():
        if name == RETAIN:
            continue
        if name.startswith("$"):
            raise Wrong(FieldError(f"{at}.{name}", "a directive", f"{DIRECTIVE}, {RETAIN} or a field"))
        if change is None or (_is_directive(change) and not isinstance(merged.get(name), Mapping)):
            merged.pop(name, None)
        else:
            merged[name] = _merged(name, merged.get(name), change, f"{at}.{name}")
    return merged


def plain(value: Any) -> Any:
    """A copy without nulls, and without mappings that are directives."""
    if isinstance(value, Mapping):
        kept = {name: each for name, each in value.items() if each is not None and not _is_directive(each)}
        return {name: plain(each) for name, each in kept.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value if not _is_directive(each)]
    return value


def _directed(patch: Fields, at: str) -> dict[str, Any]:
    match patch[DIRECTIVE]:
        case "replace":
            fresh: dict[str, Any] = plain({name: each for name, each in patch.items() if name != DIRECTIVE})
            return fresh
        case "delete":
            return {}
    raise Wrong(FieldError(f"{at}.{DIRECTIVE}", describe(patch[DIRECTIVE]), "replace or delete"))


def _retained(original: Fields, patch: Fields, at: str) -> dict[str, Any]:
    """What the patch leaves of the original: everything, or what it retains."""
    if RETAIN not in patch:
        return plain(original)  # type: ignore[no-any-return]
    kept = patch[RETAIN]
    if not isinstance(kept, list | tuple):
        raise Wrong(FieldError(f"{at}.{RETAIN}", describe(kept), "a list of fields"))
    lost = [name for name, each in patch.items() if name != RETAIN and each is not None and name not in kept]
    if lost:
        raise Wrong(FieldError(f"{at}.{RETAIN}", f"a list without {lost[0]}", "every field that is set here"))
    return plain({name: each for name, each in original.items() if name in kept})  # type: ignore[no-any-return]


def _merged(name: str, original: Any, change: Any, at: str) -> Any:
    if isinstance(original, Mapping) and isinstance(change, Mapping):
        return merge(original, change, at)
    if name in KEYS and isinstance(original, list) and isinstance(change, list | tuple):
        return _merged_list(original, change, KEYS[name], at)
    return plain(change)


def _merged_list(original: Sequence[Any], patch: Sequence[Any], key: str, at: str) -> list[Any]:
    for items, where in ((original, at), (patch, at)):
        _check_items(items, key, where)
    if any(each.get(DIRECTIVE) == "replace" for each in patch):
        return plain(patch)  # type: ignore[no-any-return]
    gone = [each[key] for each in patch if DIRECTIVE in each]
    left = [each for each in original if each[key] not in gone]
    merged = [*left]
    changes = [(index, each) for index, each in enumerate(patch) if DIRECTIVE not in each]
    for index, change in changes:
        there = next((place for place, each in enumerate(merged) if each[key] == change[key]), None)
        if there is None:
            merged.append(plain(change))
        else:
            merged[there] = merge(merged[there], change, f"{at}[{index}]")
    return _ordered(merged, [change[key] for _, change in changes], [each[key] for each in left], key)


def _check_items(items: Iterable[Any], key: str, at: str) -> None:
    for index, each in enumerate(items):
        where = f"{at}[{index}]"
        if not isinstance(each, Mapping):
            raise Wrong(FieldError(where, describe(each), f"a mapping with {key}"))
        directive = each.get(DIRECTIVE)
        if directive not in (None, "replace", "delete"):
            raise Wrong(FieldError(f"{where}.{DIRECTIVE}", describe(directive), "replace or delete"))
        if directive != "replace" and not isinstance(each.get(key), str | int):
            raise Wrong(FieldError(f"{where}.{key}", describe(each.get(key)), "what names the item"))


def _ordered(merged: Sequence[Any], asked: Sequence[Any], before: Sequence[Any], key: str) -> list[Any]:
    """Items of the patch in its order, each behind those of the original that it was behind; new ones do not wait."""

    def place(item: Fields) -> int:
        return before.index(item[key]) if item[key] in before else -1

    waiting = deque(each for each in merged if each[key] not in asked)
    ordered: list[Any] = []
    for item in sorted((each for each in merged if each[key] in asked), key=lambda each: asked.index(each[key])):
        while waiting and place(waiting[0]) < place(item):
            ordered.append(waiting.popleft())
        ordered.append(item)
    return [*ordered, *waiting]


def _is_directive(value: Any) -> bool:
    return isinstance(value, Mapping) and DIRECTIVE in value
