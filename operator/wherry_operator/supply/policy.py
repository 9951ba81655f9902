"""The cluster's policy, applied: which rule is about a reference."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from wherry.errors import InputError
from wherry.oci.credentials import matches
from wherry.oci.reference import Reference
from wherry.oci.signature import public_keys
from wherry.spec import policy as document
from wherry.spec.policy import PolicyRule

Policy = Sequence[PolicyRule]
"""In the order of the document; empty where a cluster has none."""


def load(path: Path) -> Policy:
    """The policy of a file. Raises InputError."""
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not text"
        raise InputError(f"policy {path}: {reason}", cure="name a readable YAML file") from None
    return parse(text, f"policy {path}")


def parse(text: str, source: str) -> Policy:
    """The policy of a text, whose keys can all be used. Raises InputError with everything that is wrong."""
    rules = document.parse(text, source)
    faults = [fault for number, rule in enumerate(rules) for fault in _faults(rule, f"{source}: policy[{number}]")]
    if faults:
        raise InputError("\n".join(faults), cure="mend the policy")
    return rules


def rule_for(policy: Policy, reference: Reference) -> tuple[str, PolicyRule] | None:
    """The first rule about a reference, and which of its patterns names it."""
    found = ((pattern, rule) for rule in policy for pattern in rule.registries if _names(pattern, reference))
    return next(found, None)


def _names(pattern: str, reference: Reference) -> bool:
    return pattern == "*" or matches(pattern, reference.host, reference.repository)


def _faults(rule: PolicyRule, where: str) -> list[str]:
    faults: list[str] = []
    fingerprints: set[str] = set()
    for number, pem in enumerate(rule.keys or ()):
        try:
            fingerprints |= {key.fingerprint for key in public_keys(pem.encode(), f"{where}.keys[{number}]")}
        except InputError as error:
            faults.append(error.message)
    if rule.keys and not faults and rule.threshold > len(fingerprints):
        faults.append(f"{where}.threshold: got {rule.threshold}, expected at most {len(fingerprints)} distinct keys")
    return faults
