"""Labels and annotations of everything that the operator writes."""

from __future__ import annotations

from wherry.cluster.names import APP, RUNTIME

__all__ = [
    "APP",
    "CONTAINER",
    "FIELD_MANAGER",
    "INPUTS",
    "REFRESH",
    "RENDERED",
    "RUNTIME",
    "RUN_AGAIN",
    "recommended",
    "selector",
]

FIELD_MANAGER = "wherry-operator"
CONTAINER = "app"
"""Name of the container that runs the artifact."""
RENDERED = "wherry.dev/rendered"
"""Annotation of children: hash of what was applied, so that what is as it should be is not applied again."""
INPUTS = "wherry.dev/inputs"
"""Annotation of Pods: keyed checksum of the ConfigMaps and Secrets that their app reads."""
REFRESH = "wherry.dev/refresh"
"""Annotation of a WasmApp: another value makes its tag be looked up again."""
RUN_AGAIN = "wherry.dev/run-again"
"""Annotation of a WasmApp: another value makes a new Job."""


def selector(name: str) -> dict[str, str]:
    """Selectors are immutable: this never grows."""
    return {APP: name}


def recommended(name: str, component: str = "app") -> dict[str, str]:
    """The labels that Kubernetes recommends for all tools to share, and ours."""
    return selector(name) | {
        "app.kubernetes.io/name": name,
        "app.kubernetes.io/instance": name,
        "app.kubernetes.io/component": component,
        "app.kubernetes.io/managed-by": "wherry",
    }
