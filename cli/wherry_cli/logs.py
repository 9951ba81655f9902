"""`wherry logs`: what an app in a cluster has written, of all its Pods."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING

import click

from wherry.errors import WherryError
from wherry_cli import failure, options
from wherry_operator.labels import CONTAINER

if TYPE_CHECKING:
    from wherry.cluster.names import Manifest
    from wherry_cli.cluster import Cluster, Target


@click.command("logs")
@click.argument("app")
@click.option("-f", "--follow", is_flag=True, help="Go on as long as the Pods do that there are now.")
@click.option("--tail", type=click.IntRange(min=0), metavar="N", help="Only the last N lines of each Pod.")
@click.option("-p", "--previous", is_flag=True, help="Of the containers that ran before these, and ended.")
@click.option("-c", "--container", default=CONTAINER, show_default=True, metavar="NAME", help="Another container.")
@options.in_cluster
def command(  # noqa: PLR0913  one for each option
    *, app: str, follow: bool, tail: int | None, previous: bool, container: str, target: Target
) -> None:
    """Show what an app in a cluster has written.

    Lines of several Pods begin with the Pod's name. A Pod that has no log yet is named on stderr.
    """
    query = query_of(container, follow, tail, previous)
    if not target.ask(lambda cluster: shown(cluster, app, query)):
        raise WherryError(f"no Pod of {app} has such a log", cure=f"wherry status {app} says how they are")


def query_of(container: str, follow: bool, tail: int | None, previous: bool) -> dict[str, str]:
    """As the API server takes it."""
    asked = {"follow": follow, "previous": previous}
    chosen = {name: "true" for name, wanted in asked.items() if wanted}
    return {"container": container, **chosen} | ({} if tail is None else {"tailLines": str(tail)})


async def shown(cluster: Cluster, app: str, query: Mapping[str, str]) -> bool:
    """Print every Pod's log, one after the other or as they come; whether any Pod had one, if an empty one."""
    found = await cluster.pods(app)
    if not found:
        await cluster.app(app)
        raise WherryError(f"{app} has no Pods", cure=f"wherry status {app} says why")
    pods = [str(pod["metadata"]["name"]) for pod in found if is_placed(pod)]
    prefixes = prefixes_of(pods)
    if "follow" in query:
        return any(await asyncio.gather(*(copied(cluster, pod, query, prefixes[pod]) for pod in pods)))
    return any([await copied(cluster, pod, query, prefixes[pod]) for pod in pods])


def is_placed(pod: Manifest) -> bool:
    """Whether a Pod has a node. Of one that has none, the API server would say that its log is empty."""
    if pod["spec"].get("nodeName"):
        return True
    failure.note(f"{pod['metadata']['name']}: waits for a node")
    return False


def prefixes_of(pods: Sequence[str]) -> dict[str, bytes]:
    """What tells the lines of several Pods apart."""
    return {pod: f"{pod}  ".encode() if len(pods) > 1 else b"" for pod in pods}


async def copied(cluster: Cluster, pod: str, query: Mapping[str, str], prefix: bytes) -> bool:
    """Print a Pod's log; False where it has none, of which a note tells: one Pod hides no other."""
    try:
        async with cluster.log(pod, query) as pieces:
            async for line in lines(pieces):
                sys.stdout.buffer.write(prefix + line)
                sys.stdout.buffer.flush()
    except WherryError as error:
        failure.note(f"{pod}: {error}")
        return False
    return True


async def lines(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Whole lines, so that those of several Pods do not mix; the last one ends too."""
    rest = b""
    async for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            yield line + b"\n"
    if rest:
        yield rest + b"\n"
