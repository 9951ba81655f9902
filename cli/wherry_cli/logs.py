"""`wherry logs`: what an app in a cluster has written, of all its Pods."""

from __future__ import annotations

import queue
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import click

from wherry.errors import WherryError
from wherry_cli import failure, options
from wherry_operator.labels import CONTAINER

if TYPE_CHECKING:
    from wherry_cli.cluster import Cluster

AHEAD = 1000
"""Lines that are read before they are printed."""

Line = tuple[str, bytes | WherryError | None]
"""Of a Pod: a line, why there are none, or the end."""


@click.command("logs")
@click.argument("app")
@click.option("-f", "--follow", is_flag=True, help="Go on as long as the Pods do that there are now.")
@click.option("--tail", type=click.IntRange(min=0), metavar="N", help="Only the last N lines of each Pod.")
@click.option("-p", "--previous", is_flag=True, help="Of the containers that ran before these, and ended.")
@click.option("-c", "--container", default=CONTAINER, show_default=True, metavar="NAME", help="Another container.")
@options.in_cluster
def command(  # noqa: PLR0913  one for each option
    *, app: str, follow: bool, tail: int | None, previous: bool, container: str, cluster: Cluster
) -> None:
    """Show what an app in a cluster has written.

    Lines of several Pods begin with the Pod's name. A Pod that has no log yet is named on stderr.
    """
    pods = [str(pod["metadata"]["name"]) for pod in cluster.pods(app)]
    if not pods:
        cluster.app(app)
        raise WherryError(f"{app} has no Pods", cure=f"wherry status {app} says why")
    query = query_of(container, follow, tail, previous)
    lines = together(cluster, pods, query) if follow else one_by_one(cluster, pods, query)
    if not shown(lines, several=len(pods) > 1):
        raise WherryError(f"no Pod of {app} has such a log", cure=f"wherry status {app} says how they are")


def query_of(container: str, follow: bool, tail: int | None, previous: bool) -> dict[str, str]:
    """As the API server takes it."""
    asked = {"follow": follow, "previous": previous}
    chosen = {name: "true" for name, wanted in asked.items() if wanted}
    return {"container": container, **chosen} | ({} if tail is None else {"tailLines": str(tail)})


def shown(lines: Iterable[Line], *, several: bool) -> bool:
    """Print the lines as they come; whether any Pod had a log, if an empty one."""
    answered = False
    for pod, line in lines:
        if isinstance(line, WherryError):
            failure.note(f"{pod}: {line}")
        elif line is None:
            answered = True
        else:
            answered = True
            sys.stdout.buffer.write(f"{pod}  ".encode() + line if several else line)
            sys.stdout.buffer.flush()
    return answered


def one_by_one(cluster: Cluster, pods: Sequence[str], query: Mapping[str, str]) -> Iterator[Line]:
    for pod in pods:
        yield from of_pod(cluster, pod, query)


def together(cluster: Cluster, pods: Sequence[str], query: Mapping[str, str]) -> Iterator[Line]:
    """As they come, until every Pod's log has ended; a thread for each."""
    lines: queue.Queue[Line | None] = queue.Queue(AHEAD)

    def read(pod: str) -> None:
        for each in of_pod(cluster, pod, query):
            lines.put(each)
        lines.put(None)

    for pod in pods:
        threading.Thread(target=read, args=[pod], daemon=True).start()
    going = len(pods)
    while going:
        if (each := lines.get()) is None:
            going -= 1
        else:
            yield each


def of_pod(cluster: Cluster, pod: str, query: Mapping[str, str]) -> Iterator[Line]:
    """Its lines and their end, or why there are none: one Pod that does not answer hides no other."""
    try:
        for line in cluster.log(pod, query):
            yield pod, line
        yield pod, None
    except WherryError as error:
        yield pod, error
