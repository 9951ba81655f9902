"""A status as it lies in the API server: read back from whatever version wrote it, and written within its bounds."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from wherry.errors import InvalidApp
from wherry.spec.collection import Listing
from wherry.spec.model import API_VERSION, KIND, Metadata, Spec, WasmApp
from wherry.spec.parse import read
from wherry.spec.record import Record
from wherry.spec.shape import Shape, Text
from wherry.spec.status import Status
from wherry_operator.manifest import Manifest

STATUS = Record(Status)


def last(document: Manifest) -> Status:
    """The status that was last written. A field that cannot be read, of a newer or older operator, is as if absent."""
    found = document.get("status")
    if not isinstance(found, Mapping):
        return Status()
    try:
        return _status(found)
    except InvalidApp:
        return _status({name: each for name, each in found.items() if _reads(name, each)})


def unreadable(document: Manifest) -> WasmApp:
    """What is known of an app whose spec cannot be read: its name and its last status, and a spec that says nothing."""
    meta = document["metadata"]
    named = Metadata(name=meta["name"], namespace=meta.get("namespace"))
    return WasmApp(metadata=named, spec=Spec(artifact=""), status=last(document))


def document(status: Status) -> dict[str, Any]:
    """The status as plain data, without what is as if it were absent."""
    written = STATUS.write(status)
    assert isinstance(written, dict)  # noqa: S101  a record is written as a mapping
    return written


def bounded(status: Status) -> Status:
    """The same, every text and list cut to what the schema takes: no stranger's words keep it from being written."""
    cut = _cut(STATUS, status)
    assert isinstance(cut, Status)  # noqa: S101  the shape is Status's
    return cut


def _reads(name: object, value: object) -> bool:
    with suppress(InvalidApp):
        _status({str(name): value})
        return True
    return False


def _status(fields: Mapping[str, object]) -> Status:
    """Raises InvalidApp."""
    whole = {"apiVersion": API_VERSION, "kind": KIND, "metadata": {"name": "a"}, "spec": {"artifact": "a"}}
    return read(whole | {"status": fields}, "status").status


def _cut(shape: Shape[Any], value: Any) -> Any:
    if value is None:
        return None
    if isinstance(shape, Text):
        return value[: shape.most]
    if isinstance(shape, Listing):
        return tuple(_cut(shape.item, each) for each in value[: shape.most])
    if isinstance(shape, Record):
        parts = {each.attribute: _cut(each.shape, getattr(value, each.attribute)) for each in shape.members.values()}
        return type(value)(**parts)
    return value
