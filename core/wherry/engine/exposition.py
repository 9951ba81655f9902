"""Counters as Prometheus' text exposition format 0.0.4: of one run, or of many with labels that tell them apart.

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from wherry.engine.metering import BUCKETS, COUNTERS, TRAPS

Labels = Mapping[str, str]
Total = Mapping[str, int]
"""As `Counters.total` gives it."""

_PLAIN = {
    "instances": ("wherry_instances_total", "counter", "Instances started."),
    "bytes_in": ("wherry_request_bytes_total", "counter", "Bytes of request bodies."),
    "bytes_out": ("wherry_response_bytes_total", "counter", "Bytes of response bodies."),
    "fuel": ("wherry_fuel_total", "counter", "Fuel used, when it is limited."),
    "bad_requests": ("wherry_bad_requests_total", "counter", "Requests refused: malformed, too large or too slow."),
    "overloaded": ("wherry_overloaded_total", "counter", "Requests answered 503 because the queue was full."),
    "requests_cut": ("wherry_responses_cut_total", "counter", "Responses that were cut before they were whole."),
    "commands": ("wherry_commands_total", "counter", "Commands run."),
    "in_flight": ("wherry_requests_in_flight", "gauge", "Requests being served."),
    "queued": ("wherry_requests_queued", "gauge", "Requests that wait for an instance."),
    "connections": ("wherry_connections", "gauge", "Open client connections."),
    "resident_bytes": ("wherry_resident_bytes", "gauge", "Resident anonymous memory of the workers."),
}
_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


@dataclass(frozen=True, slots=True)
class Sample:
    """suffix: what a histogram's series have after its name."""

    labels: Labels
    value: float
    suffix: str = ""


@dataclass(frozen=True, slots=True)
class Family:
    """All samples of one name. kind: counter, gauge or histogram. sentence: what it counts, for a person."""

    name: str
    kind: str
    sentence: str
    samples: tuple[Sample, ...]


def page(families: Iterable[Family]) -> str:
    """The text. Every family appears, also without a sample."""
    return "".join(f"{line}\n" for family in families for line in _lines(family))


def families(meters: Iterable[tuple[Labels, Total]]) -> Iterator[Family]:
    """Everything that workers count. meters: a run's labels, different for each, and its counters."""
    runs = tuple(meters)
    for counter, known in _PLAIN.items():
        yield Family(*known, tuple(Sample(labels, total[counter]) for labels, total in runs))
    yield _split("wherry_requests_total", "Responses that went out whole, by class of status.", "class", runs, _CLASSES)
    yield _split("wherry_traps_total", "Traps by reason.", "reason", runs, {name: f"trap_{name}" for name in TRAPS})
    yield _split("wherry_limits_total", "Guests that a limit ended, by limit.", "limit", runs, _LIMITS)
    seconds = tuple(Sample(labels, total["cpu_microseconds"] / 1e6) for labels, total in runs)
    yield Family("wherry_cpu_seconds_total", "counter", "CPU time of the threads that run guests.", seconds)
    held = tuple(Sample(labels, total["memory_byte_seconds"]) for labels, total in runs)
    sentence = "Resident bytes multiplied by the time they were held."
    yield Family("wherry_memory_byte_seconds_total", "counter", sentence, held)
    sentence = "From request head to last byte handed to the network."
    latencies = tuple(sample for labels, total in runs for sample in _histogram(labels, total))
    yield Family("wherry_request_seconds", "histogram", sentence, latencies)


_CLASSES = {f"{n}xx": f"requests_{n}xx" for n in (2, 3, 4, 5)}
_LIMITS = {name.partition("_")[2]: name for name in COUNTERS if name.startswith(("limit_", "oom_"))}


def _split(
    name: str, sentence: str, label: str, runs: tuple[tuple[Labels, Total], ...], counters: Mapping[str, str]
) -> Family:
    """One counter for each value of a label."""
    samples = (
        Sample({**labels, label: value}, total[counter])
        for labels, total in runs
        for value, counter in counters.items()
    )
    return Family(name, "counter", sentence, tuple(samples))


def _histogram(labels: Labels, total: Total) -> Iterator[Sample]:
    seen = 0
    for i, bound in enumerate([*map(str, BUCKETS), "+Inf"]):
        seen += total[f"latency_{i}"]
        yield Sample({**labels, "le": bound}, seen, "_bucket")
    yield Sample(labels, total["latency_microseconds"] / 1e6, "_sum")
    yield Sample(labels, seen, "_count")


def _lines(family: Family) -> Iterator[str]:
    yield f"# HELP {family.name} {family.sentence}"
    yield f"# TYPE {family.name} {family.kind}"
    for sample in family.samples:
        shown = ",".join(f'{name}="{value.translate(_ESCAPES)}"' for name, value in sample.labels.items())
        value = f"{sample.value:.6f}" if isinstance(sample.value, float) else sample.value
        yield f"{family.name}{sample.suffix}{f'{{{shown}}}' if shown else ''} {value}"
