"""Whose signatures an artifact must have: what the app asks for, and what the cluster asks of its registry, both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

from wherry.errors import InputError
from wherry.oci.policy import Policy as Signatures
from wherry.oci.reference import Reference
from wherry.oci.signature import public_keys
from wherry.spec.supply import KeySource, Verify, VerifyKey
from wherry_operator.supply.policy import Policy, rule_for
from wherry_operator.supply.refusal import Refused
from wherry_operator.supply.secrets import Kind, Secrets


@dataclass(frozen=True, slots=True)
class Demand:
    """by: who asks. keys: names and PEM texts. threshold: how many of the keys must have signed."""

    by: str
    keys: tuple[tuple[str, bytes], ...]
    threshold: int

    def signatures(self) -> Signatures:
        """The keys, parsed. Raises Refused: KeyInvalid."""
        try:
            keys = tuple(key for name, pem in self.keys for key in public_keys(pem, name))
        except InputError as error:
            raise Refused("Verified", "KeyInvalid", f"{self.by}: {error}") from None
        distinct = len({key.fingerprint for key in keys})
        if self.threshold > distinct:
            message = f"{self.by}: got a threshold of {self.threshold} with {distinct} distinct keys"
            raise Refused("Verified", "KeyInvalid", f"{message}; give more keys or lower the threshold")
        return Signatures(keys, self.threshold)


def of_policy(policy: Policy, reference: Reference) -> tuple[Demand, ...]:
    """What the cluster asks. Raises Refused: PolicyRefused."""
    if not policy:
        return ()
    found = rule_for(policy, reference)
    if found is None:
        _refuse(reference, "which no rule of the cluster's policy names")
    pattern, rule = found
    if rule.refuse:
        _refuse(reference, f"which the cluster's policy refuses by its rule for {pattern}")
    if rule.keys is None:
        return ()
    keys = tuple((f"policy/{pattern}/key-{i}", pem.encode()) for i, pem in enumerate(rule.keys, 1))
    return (Demand(f"the cluster's policy for {pattern}", keys, rule.threshold),)


async def of_app(verify: Verify | None, namespace: str, secrets: Secrets) -> tuple[Demand, ...]:
    """What the app asks. Raises Refused: KeyMissing."""
    if verify is None:
        return ()
    keys = [await _key(key, f"spec.verify.keys[{i}]", namespace, secrets) for i, key in enumerate(verify.keys)]
    return (Demand("spec.verify", tuple(keys), verify.threshold),)


async def _key(key: VerifyKey, at: str, namespace: str, secrets: Secrets) -> tuple[str, bytes]:
    kind, where = source(key)
    data = await secrets.get(kind, namespace, where.name)
    name = f"{kind} {namespace}/{where.name}"
    if data is None:
        raise Refused("Verified", "KeyMissing", f"{at}: {name} is not there; create it with the key {where.key}")
    if where.key not in data:
        raise Refused("Verified", "KeyMissing", f"{at}: {name} has no key {where.key}; add it, a public key in PEM")
    return f"{kind}/{where.name}/{where.key}", data[where.key]


def source(key: VerifyKey) -> tuple[Kind, KeySource]:
    """Kind of the object that holds a key, and where in it."""
    if key.secret:
        return "Secret", key.secret
    assert key.config_map  # noqa: S101 - a VerifyKey has exactly one
    return "ConfigMap", key.config_map


def _refuse(reference: Reference, why: str) -> NoReturn:
    message = f"{reference} is of {reference.name}, {why}; push it to a registry that the policy trusts"
    raise Refused("Resolved", "PolicyRefused", message)
