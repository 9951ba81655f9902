"""The `wherry-node` process: from argv to an exit code. 0: done, or all is well; 1: not; 2: wrong usage."""

from __future__ import annotations

import functools
import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import click

from wherry.errors import WherryError
from wherry_shim.node.check import Finding, check
from wherry_shim.node.containerd import containerd
from wherry_shim.node.fault import NodeError
from wherry_shim.node.host import Host
from wherry_shim.node.install import install
from wherry_shim.node.node import Node
from wherry_shim.node.prewarm import prewarm
from wherry_shim.node.probe import Probe
from wherry_shim.node.services import ByHand, SystemdServices
from wherry_shim.node.systemd import Systemd
from wherry_shim.node.uninstall import uninstall

PREFIX = "/opt/wherry"
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_UNHURRIED = 10
"""Added to the nice value of what nobody waits for."""
_MARKS = {True: "ok", False: "BAD", None: "--"}


class Group(click.Group):
    """Commands whose faults are one sentence and its cure."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except WherryError as fault:
            click.echo(f"{ctx.find_root().info_name}: {fault.message}", err=True)
            if fault.cure:
                click.echo(f"  try: {fault.cure}", err=True)
            raise click.exceptions.Exit(1) from fault


def on_node(command: Callable[..., object]) -> Callable[..., object]:
    """Give a command the options that say which node, and the node itself as its first argument."""

    @click.option("--root", type=FOLDER, default="/", show_default=True, help="Where the node's root is mounted.")
    @click.option("--prefix", default=PREFIX, show_default=True, help="Folder of the node for what is installed.")
    @click.option("--no-systemd", is_flag=True, help="Start and restart nothing: somebody else does.")
    @functools.wraps(command)
    def with_node(root: Path, prefix: str, no_systemd: bool, **own: object) -> object:
        return command(node_at(root, prefix, by_hand=no_systemd), **own)

    return with_node


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def cli() -> None:
    """Put Wherry on a Kubernetes node that runs containerd, and take it off without a trace."""


@cli.command("install")
@click.option("--probe/--no-probe", default=True, show_default=True, help="Run a pod before it counts as installed.")
@click.option("--probe-image", default="", metavar="IMAGE", help="Run this image in it, which the node has already.")
@click.option("--probe-path", default="/app.wasm", show_default=True, metavar="PATH", help="Its Wasm file.")
@on_node
def install_command(node: Node, probe: bool, probe_image: str, probe_path: str) -> None:
    """Install, or upgrade. Whatever fails is undone."""
    with node.alone():
        done = install(node, Probe(probe_image, probe_path).run if probe and node.services.automatic else None)
    click.echo(f"{'installed' if done.changed else 'nothing to do'}: {done.name}, {done.size / (1 << 20):.0f} MiB")
    if done.changed and not node.services.automatic:
        click.echo(f"now start `{node.prefix}/current/bin/python -P -m wherry_shim.zygote`, and restart containerd")


@cli.command("uninstall")
@click.option("--force", is_flag=True, help="End Wasm pods that run here.")
@click.option("--keep-cache", is_flag=True, help="Leave artifacts and compiled code for the next installation.")
@on_node
def uninstall_command(node: Node, force: bool, keep_cache: bool) -> None:
    """Put every file back as it was before the first installation."""
    with node.alone():
        uninstall(node, force=force, keep_cache=keep_cache)
    click.echo("uninstalled")


@cli.command("check")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@on_node
def check_command(node: Node, as_json: bool) -> None:
    """Say what is installed and whether it works."""
    findings = check(node)
    click.echo(json.dumps(_facts(findings)) if as_json else "\n".join(map(_line, findings)))
    if any(finding.good is False for finding in findings):
        raise click.exceptions.Exit(1)


@cli.command("prewarm")
@click.argument("images", nargs=-1, required=True, metavar="IMAGE...")
@click.option("--plan", default="", metavar="JSON", help="The annotation plan.wherry.dev/… of the pods that will come.")
@click.option("--pull", is_flag=True, help="Pull images that the node has not, without credentials.")
@on_node
def prewarm_command(node: Node, images: tuple[str, ...], plan: str, pull: bool) -> None:
    """Compile images before their first pod asks for it. Gives way to everything else that the node does."""
    os.nice(_UNHURRIED)
    for line in prewarm(node, images, plan, pull=pull):
        click.echo(line)


def node_at(root: Path, prefix: str, *, by_hand: bool) -> Node:
    """The node whose root is there. Raises NodeError when it is none that can be used."""
    if os.geteuid():
        raise NodeError("only root may change a node", cure="run it with sudo, or in a privileged container")
    host = Host(root.resolve())
    if by_hand:
        return Node(host, containerd(host), ByHand(), prefix, click.echo)
    systemd = Systemd(host)
    systemd.check()
    found = containerd(host, systemd.command_line("containerd.service"))
    return Node(host, found, SystemdServices(host, found.unit, prefix, found.zygote_environment()), prefix, click.echo)


def _line(finding: Finding) -> str:
    return f"{_MARKS[finding.good]:<4} {finding.name:<11} {finding.value}"


def _facts(findings: Sequence[Finding]) -> dict[str, object]:
    facts: dict[str, object] = {finding.name: finding.value for finding in findings}
    return {**facts, "ok": all(finding.good is not False for finding in findings)}


def main() -> None:
    """The console entry: never returns. A pod that is stopped while it installs leaves the node as it was."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(cli.main(prog_name="wherry-node"))
