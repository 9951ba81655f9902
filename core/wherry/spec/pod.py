"""What is plain Kubernetes: environment, resources, other containers and the Pod around them."""

from __future__ import annotations

from collections.abc import Mapping

from wherry.spec.collection import LABELS, MARKS, Listing, Plain, Table
from wherry.spec.measure import Amount
from wherry.spec.names import ENV_NAME, GRAPHIC, LABEL, SUBDOMAIN
from wherry.spec.quantity import Quantity
from wherry.spec.record import Record, field, record
from wherry.spec.rules import Rule, Values, apart, exactly_one
from wherry.spec.shape import Boolean, Text

AMOUNTS = Table(Amount(), most=16)
WORD = Text("a string without NUL", r"[^\x00]*", most=131_072)
"""An argument or a variable's value; Linux takes no longer one."""


def _excess(values: Values) -> list[str]:
    requests, limits = values["requests"], values["limits"]
    return [name for name in requests if name in limits and requests[name].amount > limits[name].amount]


REQUESTS_WITHIN_LIMITS = Rule(
    fields=("requests", "limits"),
    holds=lambda values: not _excess(values),
    cel="!has(self.requests) || !has(self.limits) || self.requests.all(name, !(name in self.limits) || "
    "quantity(string(self.requests[name])).compareTo(quantity(string(self.limits[name]))) <= 0)",
    at="requests",
    got=lambda values: f"more {' and '.join(_excess(values))} than in limits",
    expected="requests within limits",
)


@record(apart("value", "valueFrom"))
class EnvVar:
    name: str = field(ENV_NAME, "Name of the variable.")
    value: str | None = field(WORD, "Its value; $(NAME) stands for an earlier variable.", default=None)
    value_from: Mapping[str, Mapping[str, object]] | None = field(
        Table(Plain(), most=1, least=1), "Where the value comes from, as in a Pod.", default=None
    )


@record()
class EnvSource:
    name: str = field(SUBDOMAIN, "Name of the object.")
    optional: bool = field(Boolean(), "Whether the Pod starts without it.", default=False)


@record(exactly_one("configMapRef", "secretRef"))
class EnvFrom:
    prefix: str | None = field(ENV_NAME, "Put before every name.", default=None)
    config_map_ref: EnvSource | None = field(Record(EnvSource), "Every key of a ConfigMap.", default=None)
    secret_ref: EnvSource | None = field(Record(EnvSource), "Every key of a Secret.", default=None)


@record(REQUESTS_WITHIN_LIMITS)
class Resources:
    requests: Mapping[str, Quantity] = field(AMOUNTS, "What the Pod is sure to get.", default={})
    limits: Mapping[str, Quantity] = field(AMOUNTS, "What the Pod gets at most.", default={})


@record()
class PodMetadata:
    labels: Mapping[str, str] = field(MARKS, "Labels of the Pod.", default={})
    annotations: Mapping[str, str] = field(LABELS, "Annotations of the Pod.", default={})


@record()
class PodTemplate:
    metadata: PodMetadata = field(Record(PodMetadata), "Labels and annotations of the Pod.", default=PodMetadata())
    spec: Mapping[str, object] = field(
        Plain((("volumes", Listing(Plain((("name", LABEL),), required=("name",)), most=64, key="name")),)),
        "A PodSpec, merged strategically over the rendered one; containers[name=app] is merged into the app's.",
        default={},
    )


CONTAINER = Plain(
    (
        ("name", Text(LABEL.expected, LABEL.pattern, most=63, but=("app",))),
        ("image", Text("an image", GRAPHIC, most=1024)),
    ),
    required=("name", "image"),
)
