"""A pod network of a containerd's own: its subnet, and the CNI configuration for it. ptp, host-local and portmap."""

from __future__ import annotations

import fcntl
import json
import shlex
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FIRST, COUNT = 64, 64
"""100.64.0.0/10, the space of addresses that nobody routes, as 64 networks."""


@contextmanager
def network() -> Iterator[int]:
    """A number from 64 to 127 that no other process of this machine has meanwhile: the network is 100.N.0.0/16."""
    folder = Path(tempfile.gettempdir()) / "wherry-networks"
    folder.mkdir(exist_ok=True)
    for number in range(FIRST, FIRST + COUNT):
        with (folder / str(number)).open("w") as claim:
            try:
                fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            yield number
            return
    raise RuntimeError(f"all {COUNT} test networks are taken: {folder}")


def subnet(number: int) -> str:
    return f"100.{number}.0.0/16"


def configure(folder: Path, number: int) -> None:
    """Write folder/net.d for containerd to read. Addresses are remembered in folder/ipam."""
    addresses = {
        "type": "host-local",
        "ranges": [[{"subnet": subnet(number)}]],
        "routes": [{"dst": "0.0.0.0/0"}],
        "dataDir": str(folder / "ipam"),
    }
    plugins = [
        {"type": "ptp", "ipMasq": False, "ipam": addresses},
        {"type": "portmap", "capabilities": {"portMappings": True}, "snat": True},
    ]
    config = {"cniVersion": "0.4.0", "name": name(number), "plugins": plugins}
    (folder / "net.d").mkdir(parents=True)
    (folder / "net.d" / "10-wherry.conflist").write_text(json.dumps(config))


def name(number: int) -> str:
    """The network's name, which is in what CNI leaves on the machine."""
    return f"wherry-test-{number}"


def rules(number: int) -> list[str]:
    """Of the packet filter, for port mappings, as iptables-save writes them; CNI puts the network's name into them."""
    said = subprocess.run(["iptables-save", "-t", "nat"], capture_output=True, text=True, check=False).stdout
    return [line for line in said.splitlines() if f'name: \\"{name(number)}\\"' in line]


def forget_rules(number: int) -> None:
    """Remove them, with the chains that they lead to."""
    for line in rules(number):
        _, chain, *rule = shlex.split(line)
        subprocess.run(["iptables", "--wait", "-t", "nat", "-D", chain, *rule], check=False)
        for command in ("-F", "-X"):
            subprocess.run(["iptables", "--wait", "-t", "nat", command, rule[-1]], check=False)
