"""executor: container: an ordinary container with the engine, behind one that fetches the artifact by its digest."""

from __future__ import annotations

from typing import Any

from wherry.plan.annotation import PREFIX
from wherry_operator.desired.container import NAME, confined, present, resources
from wherry_operator.desired.given import Given

PULL = "wherry-pull"
OURS = "wherry-"
"""How the names of volumes begin that are the runner's."""
CACHE = "/.wherry/cache"
PLAN = "/.wherry/plan/plan.json"
LOGINS = "/.wherry/logins"
WASM = f"{CACHE}/app.wasm"
_CACHE = {"name": "WHERRY_CACHE", "value": CACHE}
_MOUNT = {"name": f"{OURS}cache", "mountPath": CACHE}


def executor(given: Given) -> dict[str, Any]:
    """What the container `app` has for this executor."""
    return {
        "image": given.context.runner_image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["wherry", "run", "--plan", PLAN, "--wasm", WASM, "--"],
        "env": [{**_CACHE}],
        "volumeMounts": [
            {**_MOUNT},
            {"name": f"{OURS}plan", "mountPath": PLAN.rpartition("/")[0], "readOnly": True},
        ],
    }


def pull(given: Given) -> dict[str, Any]:
    """The init container. It may use what the app may: it is Python too, and gone before the app begins."""
    secrets = given.spec.pull.secrets
    logins = [word for secret in secrets for word in ("--auth-file", f"{LOGINS}/{secret.name}.json")]
    mounts = [{"name": f"{OURS}logins", "mountPath": LOGINS, "readOnly": True}] if secrets else []
    return {
        "name": PULL,
        "image": given.context.runner_image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["wherry", "pull", given.image, "--output", WASM, *logins],
        "env": [{**_CACHE}, *_registries(given)],
        **present(resources=resources(given)),
        "volumeMounts": [{**_MOUNT}, *mounts],
        **confined(),
    }


def volumes(given: Given) -> list[dict[str, Any]]:
    field = {"fieldPath": f"metadata.annotations['{PREFIX}{NAME}']"}
    plan = {"items": [{"path": PLAN.rpartition("/")[2], "fieldRef": field}]}
    return [
        {"name": f"{OURS}cache", "emptyDir": {}},
        {"name": f"{OURS}plan", "downwardAPI": plan},
        *_logins(given),
    ]


def _logins(given: Given) -> list[dict[str, Any]]:
    sources = [
        {"secret": {"name": secret.name, "items": [{"key": ".dockerconfigjson", "path": f"{secret.name}.json"}]}}
        for secret in given.spec.pull.secrets
    ]
    return [{"name": f"{OURS}logins", "projected": {"sources": sources}}] if sources else []


def _registries(given: Given) -> list[dict[str, Any]]:
    """A dollar is doubled, because the kubelet expands $(NAME) in values."""
    text = given.context.registries
    return [{"name": "WHERRY_REGISTRIES", "value": text.replace("$", "$$")}] if text else []
