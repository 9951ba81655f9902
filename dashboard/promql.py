"""Questions to Prometheus, put together from the few forms that the dashboard uses."""

from __future__ import annotations

CHOSEN = ('namespace=~"$namespace"', 'app=~"$app"')
"""What a person chose at the top."""
APP = ("namespace", "app")


def of_apps(name: str, *matchers: str) -> str:
    """A metric of the chosen apps."""
    return f"{name}{{{', '.join((*CHOSEN, *matchers))}}}"


def rate(selector: str) -> str:
    """By the second."""
    return f"rate({selector}[$__rate_interval])"


def increase(selector: str, window: str = "$__rate_interval") -> str:
    return f"increase({selector}[{window}])"


def total(inner: str, *labels: str) -> str:
    """The sum for each value of labels; of everything without one."""
    return f"sum by ({', '.join(labels)}) ({inner})" if labels else f"sum({inner})"


def quantile(share: float, histogram: str, *labels: str) -> str:
    """histogram: a selector of its buckets."""
    return f"histogram_quantile({share}, {total(rate(histogram), *labels, 'le')})"
