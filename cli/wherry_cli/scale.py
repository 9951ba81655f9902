"""`wherry scale`: how many Pods an app in a cluster is to have."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from wherry.errors import WherryError
from wherry_cli import options
from wherry_cli.show import show

if TYPE_CHECKING:
    from wherry.cluster.names import Manifest
    from wherry_cli.cluster import Cluster, Target


@click.command("scale")
@click.argument("app")
@click.option("--replicas", type=click.IntRange(0, 2**31 - 1), required=True, metavar="N", help="Pods; 0 for none.")
@options.in_cluster
def command(app: str, replicas: int, target: Target) -> None:
    """Change how many Pods an app in a cluster has.

    Refused where it would have no effect: with autoscaling, on every node, for jobs.
    """
    before = target.ask(lambda cluster: scaled(cluster, app, replicas))
    show({"app": app, "replicas": f"{before} → {replicas}"}, False)


async def scaled(cluster: Cluster, app: str, replicas: int) -> int:
    """The replicas that were wanted before. Raises WherryError."""
    spec = (await cluster.app(app))["spec"]
    if decides := who_decides(spec):
        raise WherryError(f"{app}: replicas have no effect, because {decides[0]}", cure=decides[1])
    await cluster.scale(app, replicas)
    return int(spec.get("replicas", 1))


def who_decides(spec: Manifest) -> tuple[str, str] | None:
    """What makes replicas a word without meaning, and what to do instead; None where they count."""
    if auto := spec.get("autoscaling"):
        bounds = f"{auto.get('min', 1)} to {auto.get('max')}"
        return f"spec.autoscaling decides: {bounds}", "change spec.autoscaling.min and max, or remove spec.autoscaling"
    if spec.get("scope") == "everyNode":
        return "spec.scope is everyNode", "choose nodes with podTemplate.spec.nodeSelector"
    if spec.get("run") in ("job", "cron"):
        return f"spec.run is {spec['run']}", "set spec.job.parallelism and spec.job.completions"
    return None
