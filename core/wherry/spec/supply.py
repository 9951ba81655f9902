"""How the artifact is fetched and whose signatures it must have."""

from __future__ import annotations

import math

from wherry.spec.collection import Listing
from wherry.spec.measure import duration, never_or
from wherry.spec.names import KEY, SUBDOMAIN
from wherry.spec.record import Record, field, record
from wherry.spec.rules import Rule, exactly_one
from wherry.spec.shape import Integer

THRESHOLD_WITHIN_KEYS = Rule(
    fields=("keys", "threshold"),
    holds=lambda values: values["threshold"] <= len(values["keys"]),
    cel="self.threshold <= self.keys.size()",
    at="threshold",
    got=lambda values: f"{values['threshold']} of {len(values['keys'])} keys",
    expected="at most as many as there are keys",
)


@record()
class LocalName:
    name: str = field(SUBDOMAIN, "Name of an object in the WasmApp's namespace.")


@record()
class Pull:
    """refresh: seconds; infinity is Never."""

    refresh: float = field(
        never_or(duration("10s")),
        "How often to look again where a tag points: Never, or a duration.",
        default=math.inf,
    )
    secrets: tuple[LocalName, ...] = field(
        Listing(Record(LocalName), most=16, key="name"), "Secrets with registry credentials.", default=()
    )


@record()
class KeySource:
    name: str = field(SUBDOMAIN, "Name of the Secret or ConfigMap.")
    key: str = field(KEY, "Key in it, whose value is a public key in PEM.")


@record(exactly_one("secret", "configMap"))
class VerifyKey:
    secret: KeySource | None = field(Record(KeySource), "A public key in a Secret.", default=None)
    config_map: KeySource | None = field(Record(KeySource), "A public key in a ConfigMap.", default=None)


@record(THRESHOLD_WITHIN_KEYS)
class Verify:
    keys: tuple[VerifyKey, ...] = field(Listing(Record(VerifyKey), most=16, least=1), "Public keys that are trusted.")
    threshold: int = field(Integer(1, 16), "How many of the keys must have signed the artifact.", default=1)
