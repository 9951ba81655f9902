"""Rules that belong to one place of the WasmApp, each as a predicate here and as CEL for the API server."""

from __future__ import annotations

from typing import Any

from wherry.spec.rules import Rule, Values


def _unmounted(values: Values) -> list[str]:
    volumes: Any = values["podTemplate"].spec.get("volumes") or ()
    known = {volume["name"] for volume in volumes}
    return [grant.name for grant in values["capabilities"].files if grant.name not in known]


FILES_HAVE_VOLUMES = Rule(
    fields=("capabilities", "podTemplate"),
    holds=lambda values: not _unmounted(values),
    cel="!has(self.capabilities) || !has(self.capabilities.files) || self.capabilities.files.all(grant, "
    "has(self.podTemplate) && has(self.podTemplate.spec) && has(self.podTemplate.spec.volumes) && "
    "self.podTemplate.spec.volumes.exists(volume, volume.name == grant.name))",
    at="capabilities.files",
    got=lambda values: f"no volume named {' or '.join(sorted(set(_unmounted(values))))} in podTemplate.spec.volumes",
    expected="a volume of each name there",
)

THRESHOLD_WITHIN_KEYS = Rule(
    fields=("keys", "threshold"),
    holds=lambda values: values["threshold"] <= len(values["keys"]),
    cel="self.threshold <= self.keys.size()",
    at="threshold",
    got=lambda values: f"{values['threshold']} of {len(values['keys'])} keys",
    expected="at most as many as there are keys",
)


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
