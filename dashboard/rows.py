"""What the dashboard asks, under the questions of docs/metrics.md."""

from __future__ import annotations

from dashboard.grafana import Ask, Panel, Row, Variable
from dashboard.promql import APP, increase, of_apps, quantile, rate, total

NAME = "{{namespace}}/{{app}}"
BY_APP, BY_NODE = "by app", "{{node}}"
GIB_HOUR = "1024 / 1024 / 1024 / 3600"


def rate_of_apps(name: str, *matchers: str) -> str:
    return total(rate(of_apps(name, *matchers)), *APP)


def used(name: str) -> str:
    """In the time that is shown."""
    return total(increase(of_apps(name), "$__range"), *APP)


ALL = rate_of_apps("wherry_requests_total")
CUT = rate_of_apps("wherry_responses_cut_total")
FAILED = rate_of_apps("wherry_requests_total", 'class="5xx"')

REQUESTS = Row(
    "Is it slow, or failing?",
    (
        Panel("Requests", "Responses that went out whole.", "reqps", (Ask(ALL, NAME),)),
        Panel(
            "Failed requests",
            "The share that was answered 5xx or cut.",
            "percentunit",
            (Ask(f"({FAILED} + {CUT}) / ({ALL} + {CUT})", NAME),),
        ),
        Panel(
            "Time for a request",
            "From request head to last byte, waiting for an instance among it.",
            "s",
            tuple(
                Ask(quantile(share, of_apps("wherry_request_seconds_bucket"), *APP), f"{NAME} {word}")
                for share, word in ((0.5, "median"), (0.99, "99%"))
            ),
        ),
        Panel(
            "Requests at work",
            "Requests that wait mean that spec.limits.concurrency or the number of Pods is too low.",
            "short",
            (
                Ask(total(of_apps("wherry_requests_in_flight"), *APP), f"{NAME} served"),
                Ask(total(of_apps("wherry_requests_queued"), *APP), f"{NAME} waiting"),
            ),
        ),
        Panel(
            "Requests refused",
            "503 because the queue was full; malformed, too large or too slow.",
            "reqps",
            (
                Ask(rate_of_apps("wherry_overloaded_total"), f"{NAME} overloaded"),
                Ask(rate_of_apps("wherry_bad_requests_total"), f"{NAME} bad"),
            ),
        ),
        Panel(
            "Instances started",
            "Each request has its own.",
            "ops",
            (Ask(rate_of_apps("wherry_instances_total"), NAME),),
        ),
    ),
)
COST = Row(
    "What does an app cost?",
    (
        Panel(
            "Used in the time shown",
            "CPU time of guests, and resident memory multiplied by the time that it was held.",
            "short",
            (
                Ask(used("wherry_cpu_seconds_total"), "CPU-seconds"),
                Ask(f"{used('wherry_memory_byte_seconds_total')} / {GIB_HOUR}", "GiB-hours"),
                Ask(used("wherry_requests_total"), "requests"),
            ),
            table=True,
        ),
        Panel(
            "CPU-seconds in a second",
            "1 is a core.",
            "short",
            (Ask(rate_of_apps("wherry_cpu_seconds_total"), NAME),),
            stacked=True,
        ),
        Panel(
            "Memory-seconds in a second",
            "Byte-seconds in a second are bytes: the memory that was held on average.",
            "bytes",
            (Ask(rate_of_apps("wherry_memory_byte_seconds_total"), NAME),),
            stacked=True,
        ),
    ),
)
TRAPS = Row(
    "What traps?",
    (
        Panel(
            "Traps by reason",
            "kubectl describe pod has the last one with its backtrace.",
            "short",
            (Ask(total(increase(of_apps("wherry_traps_total")), "reason"), "{{reason}}"),),
            stacked=True,
        ),
        Panel(
            "Traps by app",
            "A guest that traps in a request ends it with 500, and nothing else.",
            "short",
            (Ask(total(increase(of_apps("wherry_traps_total")), *APP), NAME),),
            stacked=True,
        ),
        Panel(
            "Guests that a limit ended",
            "Of spec.limits.",
            "short",
            (Ask(total(increase(of_apps("wherry_limits_total")), *APP, "limit"), f"{NAME} {{{{limit}}}}"),),
            stacked=True,
        ),
    ),
)
NODES = Row(
    "Are the nodes well?",
    (
        Panel("Pods with a Wasm container", "", "short", (Ask(total("wherry_node_pods", "node"), BY_NODE),), wide=6),
        Panel(
            "Nodes",
            "A node is ready when it has the label by which Pods find it.",
            "short",
            (
                Ask("count(wherry_node_ready)", "with an agent"),
                Ask(total("wherry_node_ready"), "ready"),
                Ask(total("wherry_node_zygote_up"), "zygote up"),
            ),
            wide=6,
        ),
        Panel(
            "Versions installed",
            "Nodes of each.",
            "short",
            (Ask(total("wherry_node_installed", "version"), "{{version}}"),),
            wide=6,
        ),
        Panel(
            "Installs and repairs",
            "",
            "short",
            (Ask(total(increase("wherry_node_installs_total"), "node", "outcome"), "{{node}} {{outcome}}"),),
            wide=6,
        ),
        Panel(
            "Compiled programs in the AOT cache",
            "",
            "short",
            (Ask(total("wherry_node_cache_files", "node"), BY_NODE),),
            wide=12,
        ),
        Panel("Size of the AOT cache", "", "bytes", (Ask(total("wherry_node_cache_bytes", "node"), BY_NODE),), wide=12),
    ),
)
OPERATOR = Row(
    "Does the operator keep up?",
    (
        Panel(
            "Reconciles",
            "Passes over an app, by how they ended.",
            "ops",
            (Ask(total(rate("wherry_operator_passes_total"), "outcome"), "{{outcome}}"),),
        ),
        Panel(
            "Time for a pass",
            "",
            "s",
            tuple(
                Ask(quantile(share, "wherry_operator_pass_seconds_bucket"), word)
                for share, word in ((0.5, "median"), (0.99, "99%"))
            ),
        ),
        Panel(
            "Apps",
            "Those that wait are in the queue for a pass.",
            "short",
            (
                Ask("max(wherry_operator_apps)", "known"),
                Ask("max(wherry_operator_queue)", "waiting"),
                Ask("sum(wherry_operator_leader)", "replicas that act"),
            ),
        ),
        Panel(
            "Requests to the API server",
            "Code 0 is no answer.",
            "reqps",
            (Ask(total(rate("wherry_operator_api_requests_total"), "verb", "code"), "{{verb}} {{code}}"),),
            wide=12,
        ),
        Panel(
            "Artifacts asked for",
            "By where the answer was.",
            "ops",
            (Ask(total(rate("wherry_operator_artifacts_total"), "source"), "{{source}}"),),
            wide=12,
        ),
    ),
)
ROWS = (REQUESTS, COST, TRAPS, NODES, OPERATOR)
VARIABLES = (
    Variable("namespace", "label_values(wherry_cpu_seconds_total, namespace)"),
    Variable("app", 'label_values(wherry_cpu_seconds_total{namespace=~"$namespace"}, app)'),
)
