"""RunPlan as JSON and back: `from_json(to_json(plan)) == plan`."""

from __future__ import annotations

from dataclasses import dataclass

from wherry.plan import document
from wherry.plan.document import LIMITS, Seconds
from wherry.plan.model import Mount, RunPlan, WasmFile
from wherry.spec.collection import Listing, Table
from wherry.spec.grants import ORIGIN_SHAPE
from wherry.spec.names import DIGEST
from wherry.spec.record import Record
from wherry.spec.shape import Boolean, Choice, Integer, Schema, Shape, Text

MAX_ITEMS = 65_536
WORD = Text(most=document.MAX_TEXT)
PATH = Text("an absolute path", r"/[^\x00]*", most=4096)


@dataclass(frozen=True)
class Pairs(Shape[tuple[tuple[str, str], ...]]):
    """Names and values in order, an object in JSON."""

    entries = Table(WORD, most=MAX_ITEMS)

    def phrase(self) -> str:
        return self.entries.phrase()

    def read(self, value: object, at: str) -> tuple[tuple[str, str], ...]:
        return tuple(self.entries.read(value, at).items())

    def schema(self) -> Schema:
        return self.entries.schema()

    def write(self, value: tuple[tuple[str, str], ...]) -> object:
        return dict(value)


@dataclass(frozen=True)
class OriginText(Shape[str]):
    """An origin in its normal form, which stays a text in a plan."""

    def phrase(self) -> str:
        return ORIGIN_SHAPE.phrase()

    def read(self, value: object, at: str) -> str:
        return str(ORIGIN_SHAPE.read(value, at))

    def schema(self) -> Schema:
        return ORIGIN_SHAPE.schema()


ORIGIN = OriginText()
PLAN = Record(
    RunPlan,
    {
        "run": Choice(("http", "command")),
        "wasm": Record(WasmFile, {"path": PATH, "digest": DIGEST}),
        "argv": Listing(WORD, most=MAX_ITEMS, least=1),
        "env": Pairs(),
        "mounts": Listing(
            Record(Mount, {"host": PATH, "guest": PATH, "readonly": Boolean()}), most=MAX_ITEMS, key="guest"
        ),
        "port": Integer(0, 65535),
        "drain": Seconds(),
        "limits": LIMITS,
        "outbound": Listing(ORIGIN, most=MAX_ITEMS),
    },
)


def to_json(plan: RunPlan) -> str:
    return document.dump(PLAN, plan)


def from_json(text: str) -> RunPlan:
    """Raises StartError with the reason `plan` and every wrong field."""
    return document.read(PLAN, document.load(text))
