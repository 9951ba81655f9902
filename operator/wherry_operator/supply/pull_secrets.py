"""Who we are at an app's registry: the pull secrets that its Pods will have, read as the kubelet reads them.

A Pod that names secrets gets those and no others; one that names none gets its service account's. What could be pulled
here with more than that would not be pulled on a node.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wherry.errors import InputError
from wherry.oci import credentials
from wherry.oci.credentials import Keychain
from wherry.spec.model import Spec
from wherry_operator.supply.refusal import Refused
from wherry_operator.supply.secrets import Secrets

DOCKER_CONFIG_JSON = ".dockerconfigjson"
DOCKER_CONFIG = ".dockercfg"
_CURE = "make it with `kubectl create secret docker-registry`"


def named(spec: Spec) -> tuple[str, ...]:
    """The secrets that the rendered Pod names, each once."""
    template: Any = spec.pod_template.spec.get("imagePullSecrets") or ()
    names = [secret.name for secret in spec.pull.secrets] + [each["name"] for each in template]
    return tuple(dict.fromkeys(names))


def service_account(spec: Spec) -> str:
    """The account that the Pod runs as."""
    template = spec.pod_template.spec
    return str(template.get("serviceAccountName") or template.get("serviceAccount") or "default")


def keychain(data: Mapping[str, bytes], where: str) -> Keychain:
    """The logins of one secret, of either type. Raises InputError, which names the field and never what is in it."""
    if DOCKER_CONFIG_JSON in data:
        return credentials.parse(data[DOCKER_CONFIG_JSON], f"{where} {DOCKER_CONFIG_JSON}")
    if DOCKER_CONFIG in data:
        return credentials.parse_legacy(data[DOCKER_CONFIG], f"{where} {DOCKER_CONFIG}")
    found = ", ".join(sorted(data))[:80] or "nothing"
    raise InputError(f"{where}: got the keys {found}, expected {DOCKER_CONFIG_JSON} or {DOCKER_CONFIG}")


async def keychains(spec: Spec, namespace: str, secrets: Secrets) -> tuple[Keychain, ...]:
    """One for each secret, in order. Raises Refused: PullSecretMissing, PullSecretInvalid.

    A secret that only the service account names may be missing, as the kubelet allows: nobody asked for it here.
    """
    if own := named(spec):
        return tuple([await _own(name, namespace, secrets) for name in own])
    names = await secrets.pull_secrets(namespace, service_account(spec))
    found = [(name, await secrets.get("Secret", namespace, name)) for name in names]
    return tuple(_read(data, name, namespace) for name, data in found if data is not None)


async def _own(name: str, namespace: str, secrets: Secrets) -> Keychain:
    data = await secrets.get("Secret", namespace, name)
    if data is None:
        message = f"spec.pull.secrets: Secret {namespace}/{name} is not there; {_CURE}"
        raise Refused("Resolved", "PullSecretMissing", message)
    return _read(data, name, namespace)


def _read(data: Mapping[str, bytes], name: str, namespace: str) -> Keychain:
    try:
        return keychain(data, f"Secret {namespace}/{name}")
    except InputError as error:
        raise Refused("Resolved", "PullSecretInvalid", f"{error.message}; {_CURE}") from None
