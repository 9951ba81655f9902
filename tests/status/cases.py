"""Cases of a status: what was known and found, above the mark; what comes of it, below."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from wherry.errors import InvalidApp
from wherry.spec.model import API_VERSION, KIND, WasmApp
from wherry.spec.parse import read
from wherry.spec.record import Record
from wherry.spec.status import ArtifactStatus, Status, Trap
from wherry_operator.conditions import Verdict
from wherry_operator.status import written
from wherry_operator.status.compute import compute
from wherry_operator.status.events import Event, events
from wherry_operator.status.facts import Facts
from wherry_operator.status.warnings import warnings
from wherry_operator.supply.supplied import Supplied

GOLDEN = Path(__file__).parent / "golden"
MARK = "# What comes of it; WRITE_GOLDEN=1 writes it anew.\n"
ARTIFACT = "ghcr.io/acme/hello:v1"


@dataclass(frozen=True)
class Case:
    """app: with the last status, as the API server has it. given: the text above the mark."""

    name: str
    given: str
    app: dict[str, Any]
    generation: int
    now: str
    facts: dict[str, Any]
    expected: dict[str, Any]

    def outcome(self, app: WasmApp | None = None, now: str = "") -> Status:
        """The status, of the app as it is or after something else."""
        known, facts = self.read()
        return compute(app or known, self.generation, facts, now or self.now)

    def events(self) -> tuple[Event, ...]:
        return events(written.last(self.app), self.outcome())

    def read(self) -> tuple[WasmApp, Facts]:
        """As a pass does it: an app that cannot be read is told of, and nothing is looked up for it."""
        invalid: InvalidApp | None = None
        try:
            spec = {name: value for name, value in self.app.items() if name != "status"}
            app = dataclasses.replace(read(spec, "the API server"), status=written.last(self.app))
        except InvalidApp as error:
            app, invalid = written.unreadable(self.app), error
        return app, facts(self.facts, app, invalid)

    def path(self) -> Path:
        return GOLDEN / f"{self.name}.yaml"

    def written(self) -> str:
        """The file, with what comes of it now."""
        found = {
            "status": written.document(self.outcome()),
            "events": [dataclasses.asdict(each) for each in self.events()],
        }
        return self.given + MARK + yaml.dump(found, Dumper=Plain, sort_keys=False, width=116, allow_unicode=True)


class Plain(yaml.SafeDumper):
    """Without anchors: each part of a file is read alone."""

    def ignore_aliases(self, _: object) -> bool:
        return True


def cases() -> list[Case]:
    return [_case(path) for path in sorted(GOLDEN.glob("*.yaml"))]


def facts(given: dict[str, Any], app: WasmApp, invalid: InvalidApp | None = None) -> Facts:
    supplied = _supplied(given["supplied"]) if "supplied" in given else None
    return Facts(
        supplied=supplied,
        invalid=invalid,
        applied=Verdict(**given["applied"]) if "applied" in given else None,
        children=tuple(given.get("children", ())),
        pods=tuple(given.get("pods", ())),
        ready_nodes=given.get("readyNodes"),
        missing=tuple(given.get("missing", ())),
        warnings=warnings(app, supplied.artifact if supplied else None),
        traps=tuple(Record(Trap).read(each, "traps") for each in given.get("traps", ())),
    )


def _supplied(given: dict[str, Any]) -> Supplied:
    artifact = given.get("artifact")
    found = Record(ArtifactStatus).read(artifact, "artifact") if artifact else None
    return Supplied(found, Verdict(**given["resolved"]), Verdict(**given["verified"]))


def _case(path: Path) -> Case:
    text = path.read_text()
    given, _, expected = text.partition(MARK)
    document = yaml.safe_load(given)
    app = {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {"name": "hello", "namespace": "shop"},
        "spec": {"artifact": ARTIFACT} | document["spec"],
    }
    if "last" in document:
        app["status"] = document["last"]
    return Case(
        name=path.stem,
        given=given,
        app=app,
        generation=document["generation"],
        now=document["now"],
        facts=document["facts"],
        expected=yaml.safe_load(expected) or {},
    )
