"""Kubernetes quantities and Go durations, exact: no binary floating point touches a size.

Quantities: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
Durations: https://pkg.go.dev/time#ParseDuration, without a sign.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_DOWN, Decimal

from wherry.errors import InvalidValue
from wherry.spec.wording import describe

QUANTITY = r"(?:[0-9]{1,19}(?:\.[0-9]{0,18})?|\.[0-9]{1,18})(?:[KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]{1,2})?"
DURATION = r"(?:(?:[0-9]{1,18}(?:\.[0-9]{0,18})?|\.[0-9]{1,18})(?:ns|us|µs|μs|ms|s|m|h)){1,8}"
QUANTITY_EXPECTED = "a quantity such as 250m, 128Mi or 1.5G"
DURATION_EXPECTED = "a duration such as 30s, 10m or 1h30m"
MAX_QUANTITY = 2**63 - 1
"""Kubernetes caps a quantity here."""

_BINARY = {f"{letter}i": Decimal(1024**power) for power, letter in enumerate("KMGTPE", 1)}
_DECIMAL = {
    letter: Decimal(10) ** power for letter, power in zip("numkMGTPE", (-9, -6, -3, 3, 6, 9, 12, 15, 18), strict=True)
}
_SUFFIXES = {"": Decimal(1)} | _BINARY | _DECIMAL
_NANOSECONDS = {
    "ns": 1,
    "us": 10**3,
    "µs": 10**3,
    "μs": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
}
_QUANTITY_PARTS = re.compile(r"([0-9.]+)(?:([eE][+-]?[0-9]+)|(.*))", re.ASCII)
_DURATION_PARTS = re.compile(r"([0-9.]+)([a-zµμ]+)")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A quantity as it was written; Kubernetes reads it again in the Pod."""

    text: str

    @property
    def amount(self) -> Decimal:
        return parse_quantity(self.text)


def parse_quantity(text: str) -> Decimal:
    """The amount of `250m`, `1.5Gi`, `1e3`, … , capped as Kubernetes does. Raises InvalidValue."""
    if not re.fullmatch(QUANTITY, text, re.ASCII):
        raise InvalidValue(describe(text), QUANTITY_EXPECTED, cure=_quantity_cure(text))
    digits, exponent, suffix = _QUANTITY_PARTS.fullmatch(text).groups()  # type: ignore[union-attr]
    scale = Decimal(f"1{exponent}") if exponent else _SUFFIXES[suffix]
    return min(Decimal(digits) * scale, Decimal(MAX_QUANTITY))


def parse_bytes(text: str) -> int:
    """A quantity in bytes; a part of a byte counts as one, as in Kubernetes. Raises InvalidValue."""
    return int(parse_quantity(text).to_integral_value(ROUND_CEILING))


def format_bytes(size: int) -> str:
    """The shortest exact binary quantity: `128Mi`, `1000`."""
    for suffix, unit in reversed(_BINARY.items()):
        if size and size % int(unit) == 0:
            return f"{size // int(unit)}{suffix}"
    return str(size)


def parse_duration(text: str) -> float:
    """Seconds of `30s`, `1h30m`, `250ms`; parts of a nanosecond are dropped, as in Go. Raises InvalidValue."""
    if not re.fullmatch(DURATION, text, re.ASCII):
        raise InvalidValue(describe(text), DURATION_EXPECTED, cure=_duration_cure(text))
    return sum(_nanoseconds(number, unit) for number, unit in _DURATION_PARTS.findall(text)) / 1e9


def parse_duration_between(text: str, least: str, most: str) -> float:
    """Seconds, from least to most. Raises InvalidValue."""
    seconds = parse_duration(text)
    if not parse_duration(least) <= seconds <= parse_duration(most):
        raise InvalidValue(describe(text), f"{least} to {most}")
    return seconds


def format_duration(seconds: float) -> str:
    """The duration in its largest whole unit: `10m`, `1500ms`."""
    nanoseconds = round(seconds * 1e9)
    for unit in ("h", "m", "s", "ms", "us"):
        if nanoseconds and nanoseconds % _NANOSECONDS[unit] == 0:
            return f"{nanoseconds // _NANOSECONDS[unit]}{unit}"
    return f"{nanoseconds}ns"


def _nanoseconds(number: str, unit: str) -> int:
    return int((Decimal(number) * _NANOSECONDS[unit]).to_integral_value(ROUND_DOWN))


def _quantity_cure(text: str) -> str:
    close = text.replace(" ", "").removesuffix("B").removesuffix("b")
    binary = re.sub("([a-z])i?$", lambda match: f"{match[1].upper()}i", close)
    for attempt in (close, close.replace("K", "k"), binary):
        if attempt != text and re.fullmatch(QUANTITY, attempt, re.ASCII):
            return f"try {attempt}"
    return ""


def _duration_cure(text: str) -> str:
    if re.fullmatch(r"[0-9]{1,18}", text, re.ASCII):
        return f"try {text}s"
    if days := re.fullmatch(r"([0-9]{1,9})d", text, re.ASCII):
        return f"try {int(days[1]) * 24}h"
    return ""
