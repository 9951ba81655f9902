"""Reading WasmApps: every wrong field of every document in one InvalidApp."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from wherry.errors import FieldError, InvalidApp
from wherry.spec.collection import mapping
from wherry.spec.document import Malformed, load
from wherry.spec.model import API_VERSION, GROUP, KIND, WasmApp
from wherry.spec.record import Record
from wherry.spec.shape import Choice, Gather, Wrong

_WASM_APP = Record(WasmApp)
_TYPE = {"apiVersion": Choice((API_VERSION,)), "kind": Choice((KIND,))}
_OF_THE_SERVER = frozenset(
    {
        "creationTimestamp",
        "deletionGracePeriodSeconds",
        "deletionTimestamp",
        "finalizers",
        "generateName",
        "generation",
        "managedFields",
        "ownerReferences",
        "resourceVersion",
        "selfLink",
        "uid",
    }
)


def parse(text: str, source: str) -> tuple[WasmApp, ...]:
    """Every WasmApp in a YAML text; objects of other kinds are passed over, Lists are opened.

    source names the text in messages. Raises InvalidApp with every wrong field, and where there is no WasmApp at all.
    """
    try:
        documents = [each for document in load(text) for each in _opened(document)]
    except Malformed as error:
        raise InvalidApp(source, [FieldError(f"line {error.line}", error.got, error.expected)]) from None
    found = [(number, each) for number, each in enumerate(documents, 1) if not _is_of_others(each)]
    if not found:
        raise InvalidApp(source, [FieldError("document", "no WasmApp", f"an object of kind {KIND} of {API_VERSION}")])
    return tuple(_read_all(found, source, several=len(documents) > 1))


def read(document: object, source: str) -> WasmApp:
    """One WasmApp from plain data, as an API server sends it. Raises InvalidApp."""
    try:
        return _read(document)
    except Wrong as wrong:
        raise InvalidApp(source, wrong.faults) from None


def _opened(document: object) -> Iterator[object]:
    """The items of a List, as `kubectl get -o yaml` writes it; every other document as it is."""
    items = document.get("items") if isinstance(document, Mapping) and document.get("kind") == "List" else None
    yield from items if isinstance(items, list) else [document]


def _is_of_others(document: object) -> bool:
    """Whether it says that it is something else. What says nothing was meant for us, and is told what it lacks."""
    if not isinstance(document, Mapping) or not isinstance(kind := document.get("kind"), str):
        return False
    return kind != KIND and not str(document.get("apiVersion")).startswith(f"{GROUP}/")


def _read_all(found: Iterable[tuple[int, object]], source: str, *, several: bool) -> list[WasmApp]:
    apps: list[WasmApp] = []
    faults: list[FieldError] = []
    for number, document in found:
        prefix = f"document {number}: " if several else ""
        try:
            apps.append(_unlike(apps, _read(document)))
        except Wrong as wrong:
            faults.extend(FieldError(prefix + each.path, each.got, each.expected, each.cure) for each in wrong.faults)
    if faults:
        raise InvalidApp(source, faults)
    return apps


def _unlike(apps: Iterable[WasmApp], app: WasmApp) -> WasmApp:
    name = (app.metadata.namespace, app.metadata.name)
    if any((each.metadata.namespace, each.metadata.name) == name for each in apps):
        raise Wrong(FieldError("metadata.name", f'"{app.metadata.name}" again', "each WasmApp once"))
    return app


def _read(document: object) -> WasmApp:
    given = mapping(document, "document")
    gather = Gather()
    for name, choice in _TYPE.items():
        with gather:
            choice.read(given.get(name), name)
    with gather:
        app = _WASM_APP.read(_body(given), "")
    gather.settle()
    return app


def _body(given: Mapping[str, object]) -> dict[str, object]:
    """The document without its type, and without what an API server adds to its metadata."""
    body = {name: value for name, value in given.items() if name not in _TYPE}
    if isinstance(metadata := given.get("metadata"), Mapping):
        body["metadata"] = {name: value for name, value in metadata.items() if name not in _OF_THE_SERVER}
    return body
