"""Combinations of what can be switched: every two of them meet in each of their states in one of few cases."""

from __future__ import annotations

from itertools import combinations, product

SWITCHES: dict[str, tuple[str, ...]] = {
    "crds.install": ("true", "false"),
    "crds.keep": ("true", "false"),
    "namespaces": ("[]", '["team-a", "team-b"]'),
    "operator.leaderElection": ("true", "false"),
    "operator.watchSecrets": ("true", "false"),
    "admissionPolicy.enabled": ("true", "false"),
    "agent.admissionPolicy": ("true", "false"),
    "agent.enabled": ("true", "false"),
    "uninstall.enabled": ("true", "false"),
    "uninstall.force": ("true", "false"),
    "serviceMonitor.enabled": ("true", "false"),
    "podDisruptionBudget.enabled": ("true", "false"),
    "networkPolicy.enabled": ("true", "false"),
    "policy[0].registries": ('["*"]', '["ghcr.io/acme", "*.example.com"]'),
}

Case = tuple[str, ...]
"""One state of each switch, as JSON, in their order."""


def pairwise(states: list[tuple[str, ...]]) -> list[Case]:
    """Each pair of states of two switches is in at least one case; the case with the most new pairs comes next."""
    wanted = {
        ((a, x), (b, y)) for a, b in combinations(range(len(states)), 2) for x, y in product(states[a], states[b])
    }
    found: list[Case] = []
    everything = list(product(*states))
    while wanted:
        best = max(everything, key=lambda case: len(wanted & pairs(case)))
        wanted -= pairs(best)
        found.append(best)
    return found


def pairs(case: Case) -> set[tuple[tuple[int, str], tuple[int, str]]]:
    return set(combinations(enumerate(case), 2))


def options(case: Case) -> list[str]:
    """For helm."""
    given = [f"{name}={state}" for name, state in zip(SWITCHES, case, strict=True)]
    alone = ["operator.replicas=1"] if "operator.leaderElection=false" in given else []
    return [word for each in [*given, *alone, "policy[0].refuse=true"] for word in ("--set-json", each)]


CASES = pairwise(list(SWITCHES.values()))
