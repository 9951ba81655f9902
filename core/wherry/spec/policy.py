"""The cluster's policy: whose signatures artifacts must have, by the registry that they come from.

    - registries: [ghcr.io/acme]
      keys: ["-----BEGIN PUBLIC KEY-----…"]
      threshold: 1
    - registries: ["*.internal.example.com:5000"]
      unsigned: true
    - registries: ["*"]
      refuse: true

The first rule that names an artifact's registry counts. Where there is a policy, what no rule names is refused: else a
copy in another registry would pass.
"""

from __future__ import annotations

from wherry.errors import FieldError, InputError
from wherry.spec.collection import Listing
from wherry.spec.document import Malformed, load
from wherry.spec.record import Record, field, record
from wherry.spec.rules import Rule, exactly_one
from wherry.spec.shape import Boolean, Integer, Text, Wrong
from wherry.spec.wording import describe

_LABEL = r"[A-Za-z0-9*](?:[A-Za-z0-9*-]*[A-Za-z0-9*])?"
_HOST = rf"{_LABEL}(?:\.{_LABEL})*(?::[0-9]{{1,5}})?"
PATTERN = Text(
    "host[:port][/path] where * stands inside a label of the host, or * alone",
    rf"\*|{_HOST}(?:/[a-z0-9][a-z0-9._-]*)*",
    most=512,
)
PEM = Text("a public key in PEM", r"\s*-----BEGIN [A-Z ]+-----[\sA-Za-z0-9+/=]+-----END [A-Z ]+-----\s*", most=8192)


class Yes(Boolean):
    """A field that is there or not: true is all that it may say."""

    def phrase(self) -> str:
        return "true, or nothing at all"

    def read(self, value: object, at: str) -> bool:
        if value is not True:
            raise Wrong(FieldError(at, describe(value), self.phrase()))
        return True


_THRESHOLD = Rule(
    fields=("keys", "threshold"),
    holds=lambda values: values["threshold"] <= len(values["keys"] or [""]),
    cel="self.threshold <= (has(self.keys) ? self.keys.size() : 1)",
    at="threshold",
    got=lambda values: str(values["threshold"]),
    expected="at most as many as there are keys",
)


@record(exactly_one("keys", "unsigned", "refuse"), _THRESHOLD)
class PolicyRule:
    registries: tuple[str, ...] = field(Listing(PATTERN, most=64, least=1), "The registries that it is about.")
    keys: tuple[str, ...] | None = field(Listing(PEM, most=16, least=1), "Public keys that are trusted.", default=None)
    threshold: int = field(Integer(1, 16), "How many of the keys must have signed.", default=1)
    unsigned: bool | None = field(Yes(), "Nothing is asked.", default=None)
    refuse: bool | None = field(Yes(), "Nothing is accepted.", default=None)


_POLICY = Listing(Record(PolicyRule), most=256, least=1)


def parse(text: str, source: str) -> tuple[PolicyRule, ...]:
    """The rules of a YAML document. source names it in messages. Raises InputError with every wrong field."""
    try:
        documents = load(text)
        if len(documents) != 1:
            raise Wrong(FieldError("policy", f"{len(documents)} documents", "one, a list of rules"))
        return _POLICY.read(documents[0], "policy")
    except Malformed as error:
        wrong = Wrong(FieldError(f"line {error.line}", error.got, error.expected))
    except Wrong as error:
        wrong = error
    raise InputError("\n".join(f"{source}: {fault}" for fault in wrong.faults), cure="mend the policy")
