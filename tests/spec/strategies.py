"""Documents drawn from the description of a WasmApp, right in every field, and slips made in them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import strategies as st

from tests.spec.apps import document
from wherry.spec.collection import Listing, Plain, Table
from wherry.spec.measure import Amount, Bytes, CountOrPercent
from wherry.spec.model import Spec
from wherry.spec.quantity import QUANTITY
from wherry.spec.record import Member, Record
from wherry.spec.shape import Boolean, Choice, Integer, Notation, Shape, Text

Values = st.SearchStrategy[Any]

WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
SCALARS = st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.sampled_from([0.5, -1.5]) | WORDS
PLAIN: Values = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3)
)


def _matching(pattern: str, most: int) -> Values:
    texts = st.from_regex(re.compile(pattern, re.ASCII), fullmatch=True) if pattern else WORDS
    return texts.filter(lambda text: len(text) <= most and text.isprintable())


def _text(shape: Text) -> Values:
    return _matching(shape.pattern, shape.most).filter(lambda text: len(text) >= shape.least and text not in shape.but)


def _listing(shape: Listing[Any]) -> Values:
    most = min(shape.most, shape.least + 2)
    return st.lists(values(shape.item), min_size=shape.least, max_size=most).filter(
        lambda items: _apart(items, shape.key)
    )


def _apart(items: list[Any], key: str) -> bool:
    names = [str(each if key == "." else each[key]) for each in items] if key else []
    return len(set(names)) == len(names)


def _table(shape: Table[Any]) -> Values:
    names = st.text("abc", min_size=1, max_size=3)
    return st.dictionaries(names, values(shape.value), min_size=shape.least, max_size=min(shape.most, 2))


def _plain(shape: Plain) -> Values:
    known = {name: values(each) for name, each in shape.checked}
    required = {name: known.pop(name) for name in shape.required}
    return st.fixed_dictionaries(required, optional=known)


def _record(shape: Record[Any]) -> Values:
    required = {name: _present(member) for name, member in shape.members.items() if member.required}
    optional = {name: _present(member) for name, member in shape.members.items() if not member.required}
    return st.fixed_dictionaries(required, optional=optional)


def _present(member: Member) -> Values:
    drawn = values(member.shape)
    return drawn if member.required else drawn | st.none()


def _quantity(_: Amount) -> Values:
    return st.integers(0, 2**40) | _matching(QUANTITY, 40)


def _size(shape: Bytes) -> Values:
    return st.integers(shape.least, shape.most)


def _budget(_: CountOrPercent) -> Values:
    return st.integers(0, 2**31 - 1) | st.integers(0, 100).map(lambda part: f"{part}%")


DRAWN: dict[type[Shape[Any]], Callable[[Any], Values]] = {
    Boolean: lambda _: st.booleans(),
    Integer: lambda shape: st.integers(shape.least, shape.most),
    Choice: lambda shape: st.sampled_from(shape.words),
    Text: _text,
    Notation: lambda shape: _matching(shape.pattern, shape.most),
    Listing: _listing,
    Table: _table,
    Plain: _plain,
    Record: _record,
    Amount: _quantity,
    Bytes: _size,
    CountOrPercent: _budget,
}


def values(shape: Shape[Any]) -> Values:
    """Plain data that a shape should read. What only a grammar's parser or a rule forbids may be among it."""
    return DRAWN[type(shape)](shape)


@st.composite
def _slips(draw: st.DrawFn) -> Any:
    app = draw(APPS)
    places = list(_places(app["spec"]))
    node, key = places[draw(st.integers(0, len(places) - 1))]
    node[key] = draw(PLAIN)
    return app


def _places(node: Any) -> Iterator[tuple[Any, Any]]:
    for key in list(node) if isinstance(node, dict) else range(len(node)):
        yield node, key
        if isinstance(node[key], dict | list):
            yield from _places(node[key])


APPS: Values = values(Record(Spec)).map(document)
"""Whole documents, right in every field by itself."""
SLIPS: Values = _slips()
"""The same with one value, however deep, replaced by any other."""
