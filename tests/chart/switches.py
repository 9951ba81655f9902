"""Combinations of what can be switched: every two of them meet in each of their states in one of few cases."""

from __future__ import annotations

from itertools import combinations, count
from math import comb

SWITCHES: dict[str, tuple[str, str]] = {
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
    "dashboards.enabled": ("true", "false"),
    "podDisruptionBudget.enabled": ("true", "false"),
    "networkPolicy.enabled": ("true", "false"),
    "policy[0].registries": ('["*"]', '["ghcr.io/acme", "*.example.com"]'),
}

Case = tuple[str, ...]
"""One state of each switch, as JSON, in their order."""


def pairwise(states: list[tuple[str, str]]) -> list[Case]:
    """Each pair of states of two switches is in at least one case.

    All first states are the first case. In the others, of which there are n, every switch is in its second state in
    another set of n // 2 + 1 cases: no such set holds another, and every two meet (Kleitman and Spencer, 1973).
    """
    n = next(n for n in count(2) if comb(n, n // 2 + 1) >= len(states))
    seconds = [set(chosen) for chosen, _ in zip(combinations(range(n), n // 2 + 1), states, strict=False)]
    others = [tuple(state[case in second] for state, second in zip(states, seconds, strict=True)) for case in range(n)]
    return [tuple(first for first, _ in states), *others]


def options(case: Case) -> list[str]:
    """For helm."""
    given = [f"{name}={state}" for name, state in zip(SWITCHES, case, strict=True)]
    alone = ["operator.replicas=1"] if "operator.leaderElection=false" in given else []
    return [word for each in [*given, *alone, "policy[0].refuse=true"] for word in ("--set-json", each)]


CASES = pairwise(list(SWITCHES.values()))
