"""The engine's settings: what changes machine code (Build), and how instances are allocated (Pooling)."""

from __future__ import annotations

import hashlib
import os
from ctypes import byref
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from wherry.engine import capi
from wherry.engine.adapter.identity import identity

Adapter = Literal["none", "http", "http-outbound", "command", "command-outbound"]

_DETAILS = "WASMTIME_BACKTRACE_DETAILS"


@cache
def target() -> str:
    """This machine's architecture and a digest of its CPU features: code for one may not run on another."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith(("flags", "Features")):
            return f"{os.uname().machine}-{hashlib.sha256(line.encode()).hexdigest()[:16]}"
    return os.uname().machine


# The engine keeps a task for each call between components when WASI 0.3 may run: a sixth of a small request's time.
FIXED = {"epoch_interruption": True, "concurrency_support": False}


@dataclass(frozen=True, slots=True)
class Build:
    """Everything that changes machine code. Equal builds of equal bytes are interchangeable.

    adapter: the component that the guest is composed with. fuel: count instructions. details: keep the guest's DWARF,
    so that a backtrace has file:line. lifted: what memories begin with lies behind the code, for `Memories` to put it
    there. Epoch interruption is always compiled in: without it no limit holds.
    """

    adapter: Adapter = "none"
    fuel: bool = False
    lifted: bool = False
    details: bool = True
    engine: str = capi.VERSION
    target: str = field(default_factory=target)

    @property
    def key(self) -> str:
        """A file name that is the same for equal builds only."""
        facts = asdict(self) | FIXED | ({"composer": identity()} if self.adapter != "none" else {})
        text = "\n".join(f"{name}={value}" for name, value in sorted(facts.items()))
        return hashlib.sha256(text.encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Pooling:
    """Slots made once and reused, instead of memory mapped for each instance: what small guests of a worker want.

    instances: alive at once. memory: bytes of one linear memory.
    """

    instances: int
    memory: int


SMALL_MEMORY = 256 << 10
"""Bytes that a guest's largest memory may begin with, to be reset by the engine, which copies all of it. Of more, such
as a C program with its stack of 16 MiB, `Memories` copies what was written (docs/decisions/0054)."""


CORE_PER_COMPONENT = 40  # a composed JS or Python component has 12 to 25 core instances
COMPONENTS_PER_COMPONENT = 8  # the outer one, the adapter's parts and the guest
MEMORIES_PER_COMPONENT = 4
TABLES_PER_COMPONENT = 16
TABLE_ELEMENTS = 100_000
INSTANCE_SIZE = 4 << 20  # bytes of the engine's own record of one instance


def _slots(pooling: Pooling) -> dict[str, int]:
    count = pooling.instances
    return {
        "total_component_instances": count * COMPONENTS_PER_COMPONENT,
        "max_component_instance_size": INSTANCE_SIZE,
        "max_core_instances_per_component": CORE_PER_COMPONENT,
        "max_memories_per_component": MEMORIES_PER_COMPONENT,
        "max_tables_per_component": TABLES_PER_COMPONENT,
        "total_core_instances": count * CORE_PER_COMPONENT,
        "max_core_instance_size": INSTANCE_SIZE,
        "total_memories": count * MEMORIES_PER_COMPONENT,
        "max_memory_size": pooling.memory,
        "total_tables": count * TABLES_PER_COMPONENT,
        "table_elements": TABLE_ELEMENTS,
        "total_stacks": count,
        "total_gc_heaps": count,
        "max_unused_warm_slots": count * MEMORIES_PER_COMPONENT,
        "linear_memory_keep_resident": SMALL_MEMORY,
        "table_keep_resident": SMALL_MEMORY,
    }


class Engine:
    """A wasm_engine_t. `pointer` is valid until close; close after everything that was made with it."""

    def __init__(self, pointer: int) -> None:
        self.pointer = pointer

    def tick(self) -> None:
        """Advance the epoch: every store whose deadline is reached stops at its next check. Any thread may call it."""
        capi.engine_increment_epoch(self.pointer)

    def close(self) -> None:
        if self.pointer:
            capi.engine_delete(self.pointer)
        self.pointer = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def new_engine(build: Build, memories: Pooling | capi.MemoryCreator | None = None) -> Engine:
    """An engine whose code is of `build`. memories: a pool, or who makes them; without either they are the system's."""
    config = _new_config(build.details)
    capi.config_epoch_interruption(config, FIXED["epoch_interruption"])
    capi.config_concurrency_support(config, FIXED["concurrency_support"])
    capi.config_consume_fuel(config, build.fuel)
    if isinstance(memories, Pooling):
        _pool(config, memories)
    elif memories is not None:
        capi.config_host_memory_creator(config, byref(memories))
    return Engine(capi.engine_new_with_config(config))


def _new_config(details: bool) -> int:
    # The library reads this switch from the environment alone, while it makes a configuration.
    before = os.environ.get(_DETAILS)
    os.environ[_DETAILS] = "1" if details else "0"
    try:
        config: int = capi.config_new()
    finally:
        os.environ.pop(_DETAILS)
        if before is not None:
            os.environ[_DETAILS] = before
    return config


def _pool(config: int, pooling: Pooling) -> None:
    pool = capi.pooling_config_new()
    for name, value in _slots(pooling).items():
        capi.POOLING_TUNABLES[name](pool, value)
    capi.pooling_strategy_set(config, pool)
    capi.pooling_config_delete(pool)
