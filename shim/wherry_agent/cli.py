"""The `wherry-agent` process: from argv and WHERRY_* variables to an exit code."""

from __future__ import annotations

import asyncio
import functools
import os
import secrets
import signal
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path

import click

from wherry.cluster import logs
from wherry.cluster.connection import connect
from wherry.cluster.credentials import find
from wherry_agent.agent import Agent
from wherry_agent.names import REPORTER
from wherry_agent.post import Post
from wherry_agent.probing import prove
from wherry_agent.programs import OwnPrograms
from wherry_agent.uninstalling import Uninstall
from wherry_shim.node.cli import FOLDER, PREFIX, Group, node_at
from wherry_shim.node.install import install

PROGRAM = REPORTER.rpartition("/")[2]
CLASSES = "wherry"


@click.group(
    cls=Group,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "max_content_width": 100,
        "auto_envvar_prefix": "WHERRY",
        "show_default": True,
    },
)
def cli() -> None:
    """Keep Wherry installed on a node of Kubernetes. Runs as a DaemonSet."""


def at_post(command: Callable[..., object]) -> Callable[..., object]:
    """Give a command the options that say where the agent stands, as its first argument. Each has a variable."""

    @click.option("--node", envvar="WHERRY_NODE", required=True, help="Name of the node. $WHERRY_NODE")
    @click.option("--namespace", envvar="WHERRY_NAMESPACE", required=True, help="Of the agent. $WHERRY_NAMESPACE")
    @click.option("--pod", envvar="WHERRY_POD", required=True, help="Name of the agent's Pod. $WHERRY_POD")
    @click.option("--daemon-set", envvar="WHERRY_DAEMON_SET", default="wherry-agent", help="$WHERRY_DAEMON_SET")
    @click.option("--root", envvar="WHERRY_ROOT", type=FOLDER, default="/host", help="The node's root. $WHERRY_ROOT")
    @click.option("--prefix", envvar="WHERRY_PREFIX", default=PREFIX, help="The node's folder for it. $WHERRY_PREFIX")
    @click.option("--image", envvar="WHERRY_IMAGE", default="", help="The agent's own image. $WHERRY_IMAGE")
    @click.option("--probe-class", envvar="WHERRY_PROBE_CLASS", default="wherry-probe", help="$WHERRY_PROBE_CLASS")
    @functools.wraps(command)
    def with_post(  # noqa: PLR0913, PLR0917 - one for each option
        node: str,
        namespace: str,
        pod: str,
        daemon_set: str,
        root: Path,
        prefix: str,
        image: str,
        probe_class: str,
        **own: object,
    ) -> object:
        post = Post(
            node=node,
            namespace=namespace,
            pod=pod,
            daemon_set=daemon_set,
            root=root,
            prefix=prefix,
            image=image,
            probe_class=probe_class,
        )
        return command(post, **own)

    return with_post


@cli.command("run")
@click.option("--port", envvar="WHERRY_PORT", default=8080, help="Of /metrics, /healthz and /readyz. $WHERRY_PORT")
@click.option("--log-format", envvar="WHERRY_LOG_FORMAT", type=click.Choice(["json", "text"]), default="json")
@click.option("--log-level", envvar="WHERRY_LOG_LEVEL", default="INFO", help="$WHERRY_LOG_LEVEL")
@at_post
def run_command(post: Post, port: int, log_format: str, log_level: str) -> None:
    """Install, watch and repair, until SIGTERM: then nothing on the node is changed."""
    logs.start(log_format, log_level.upper())
    asyncio.run(_until_told(_agent(post, port)))


@cli.command("install")
@click.option("--proven", is_flag=True, help="Probe only what is changed.")
@at_post
def install_command(post: Post, proven: bool) -> None:
    """Install, upgrade or repair once, with a probe Pod; whatever fails is undone."""
    node = node_at(post.root, post.prefix, by_hand=False)
    with node.alone():
        done = install(node, functools.partial(prove, post), proven=proven)
    click.echo(f"{'installed' if done.changed else 'nothing to do'}: {done.name}, {done.size / (1 << 20):.0f} MiB")


@cli.command("uninstall")
@click.option("--all", "everywhere", is_flag=True, required=True, help="On every node where an agent runs.")
@click.option("--wait", type=click.FloatRange(min=1), default=300.0, help="Seconds for all nodes to answer.")
@click.option("--force", is_flag=True, envvar="WHERRY_FORCE", help="End Wasm pods; give up nodes that do not answer.")
@click.option("--namespace", envvar="WHERRY_NAMESPACE", required=True, help="Of the agents. $WHERRY_NAMESPACE")
@click.option("--daemon-set", envvar="WHERRY_DAEMON_SET", default="wherry-agent", help="$WHERRY_DAEMON_SET")
@click.option("--classes", envvar="WHERRY_CLASSES", default=CLASSES, help="RuntimeClasses of ours. $WHERRY_CLASSES")
def uninstall_command(  # noqa: PLR0913, PLR0917 - one for each option
    everywhere: bool, wait: float, force: bool, namespace: str, daemon_set: str, classes: str
) -> None:
    """Let every node be as it was before. Refuses while Wasm pods run, and then changes nothing."""
    del everywhere

    async def hook() -> None:
        async with connect(find(os.environ), PROGRAM) as connection:
            await Uninstall(
                connection=connection,
                namespace=namespace,
                daemon_set=daemon_set,
                classes=frozenset(classes.split(",")),
                id=secrets.token_hex(8),
                wait=wait,
                force=force,
                report=click.echo,
            ).run()

    if not asyncio.run(_until_told(hook())):
        raise click.exceptions.Exit(1)


async def _agent(post: Post, port: int) -> None:
    async with connect(find(os.environ), PROGRAM) as connection:
        await Agent(connection, post, OwnPrograms(post)).run(port)


async def _until_told(work: Coroutine[None, None, None]) -> bool:
    """Whether it came to its end: SIGTERM cancels it."""
    task = asyncio.ensure_future(work)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    await asyncio.wait([task])
    if task.cancelled():
        return False
    task.result()
    return True


def main() -> None:
    """The console entry: never returns. An install that is stopped leaves the node as it was."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(cli.main(prog_name=PROGRAM))
