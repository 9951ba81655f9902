"""RunPlan: everything the engine needs to know of what runs, and nothing of where.

Sizes are bytes, times are seconds. Equal plans behave alike wherever they run; where is the engine's Host.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Run = Literal["http", "command"]
"""How the guest is called. A WasmApp's `job` and `cron` are commands by the time there is a plan."""

ARGV0 = "/app.wasm"
"""argv[0] on every road, so that a guest cannot tell where it runs."""

DEFAULT_DRAIN = 23.0
"""Seconds: Kubernetes' grace period of 30, less a preStop sleep of 5, less 2 to be sure."""

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class WasmFile:
    """The guest's bytes: a path on this host, and their digest (`sha256:<hex>`), which is checked before use."""

    path: str
    digest: str


@dataclass(frozen=True, slots=True)
class Mount:
    """A host folder that the guest sees at `guest`."""

    host: str
    guest: str
    readonly: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """What a guest may use.

    memory: bytes of one instance's linear memory. timeout: seconds for one request (http) or the whole run (command);
    None is no limit. fuel: instructions, in wasmtime's measure; None neither limits nor counts.
    concurrency: instances alive at once.
    """

    memory: int = 128 * MIB
    timeout: float | None = None
    fuel: int | None = None
    concurrency: int = 16


HTTP_TIMEOUT = 30.0
"""Seconds: the default of Limits.timeout for an http plan. Commands have none."""


@dataclass(frozen=True, slots=True)
class RunPlan:
    """One guest, its arguments, its grants and its limits.

    env: pairs in the order of their names, which are unique. mounts: in the order of `guest`.
    outbound: origins as in a WasmApp (`https://*.example.com:8443`).
    port: where an http guest is served; 0 for a command. drain: seconds to finish requests after SIGTERM.
    """

    run: Run
    wasm: WasmFile
    argv: tuple[str, ...] = (ARGV0,)
    env: tuple[tuple[str, str], ...] = ()
    mounts: tuple[Mount, ...] = ()
    port: int = 0
    drain: float = DEFAULT_DRAIN
    limits: Limits = Limits()
    outbound: tuple[str, ...] = ()
