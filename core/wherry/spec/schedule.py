"""Cron schedules as Kubernetes reads them: five fields, or @daily and its kin, or @every and a duration."""

from __future__ import annotations

import re

from wherry.errors import InvalidValue
from wherry.spec.quantity import DURATION, parse_duration_between
from wherry.spec.wording import describe

MAX_SCHEDULE = 128
EXPECTED = 'minute hour day month weekday, such as "*/5 * * * *", or @hourly'


def _field(value: str) -> str:
    one = rf"(?:\*|\?|(?:{value})(?:-(?:{value}))?)(?:/0*[1-9][0-9]{{0,3}})?"
    return f"{one}(?:,{one})*"


def _words(words: str) -> str:
    """In any case; RE2's own folding would let in letters beyond ASCII."""
    return "|".join("".join(f"[{letter.upper()}{letter}]" for letter in word) for word in words.split())


_MONTH_NAMES = "jan feb mar apr may jun jul aug sep oct nov dec"
_DAY_NAMES = "sun mon tue wed thu fri sat"
_MONTHS = _words(_MONTH_NAMES)
_DAYS = _words(_DAY_NAMES)
_NUMBERS = {
    name: str(number)
    for names, first in ((_MONTH_NAMES, 1), (_DAY_NAMES, 0))
    for number, name in enumerate(names.split(), first)
}
_NUMBERED = "".join(f".replace('{name}', '{number}')" for name, number in _NUMBERS.items())
_FIELDS = r"[ \t]+".join(
    _field(value)
    for value in (
        "[0-5]?[0-9]",
        "[01]?[0-9]|2[0-3]",
        "0?[1-9]|[12][0-9]|3[01]",
        f"0?[1-9]|1[0-2]|{_MONTHS}",
        f"0?[0-6]|{_DAYS}",
    )
)
SCHEDULE = rf"{_FIELDS}|@(?:yearly|annually|monthly|weekly|daily|midnight|hourly)|@every (?:{DURATION})"
_EVERY = "@every "
_LEAST, _MOST = "1s", "8760h"
RULES = (
    (
        f"!self.startsWith('{_EVERY}') || duration(self.substring({len(_EVERY)})) >= duration('{_LEAST}') && "
        f"duration(self.substring({len(_EVERY)})) <= duration('{_MOST}')",
        f"expected @every with {_LEAST} to {_MOST}",
    ),
    (
        f"self.lowerAscii(){_NUMBERED}.findAll('[0-9]+-[0-9]+')"
        ".all(range, int(range.split('-')[0]) <= int(range.split('-')[1]))",
        "expected ranges that rise, such as 9-17",
    ),
)


def parse_schedule(text: str) -> str:
    """The schedule as written. Raises InvalidValue."""
    if len(text) > MAX_SCHEDULE or not re.fullmatch(SCHEDULE, text, re.ASCII):
        raise InvalidValue(describe(text), EXPECTED)
    if text.startswith(_EVERY):
        parse_duration_between(text.removeprefix(_EVERY), _LEAST, _MOST)
    for low, high in re.findall("([0-9]+)-([0-9]+)", _numbered(text)):
        if int(low) > int(high):
            raise InvalidValue(describe(f"{low}-{high}"), "ranges that rise, such as 9-17", cure=f"try {high}-{low}")
    return text


def _numbered(text: str) -> str:
    """Names of months and days as the numbers that they stand for."""
    numbered = text.lower()
    for name, number in _NUMBERS.items():
        numbered = numbered.replace(name, number)
    return numbered
