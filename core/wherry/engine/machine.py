"""An engine of commands with what their guests import: made for one run, or ahead of all, by a process that forks.

Made ahead it is shared memory in every child that runs a guest, and takes none of its time. It starts no thread.
"""

from __future__ import annotations

from wherry.engine import capi, control, poll, preview1
from wherry.engine.config import Build, new_engine
from wherry.engine.interrupt import Interrupt

_ahead: list[Machine] = []


class Machine:
    """Linkers are made when they are first asked for. interrupt: of the guest that runs; there is one at a time."""

    interrupt: Interrupt

    def __init__(self, build: Build) -> None:
        self.engine = new_engine(build)
        self._suits = (build.fuel, build.details)
        self._modules = self._components = 0

    def suits(self, build: Build) -> bool:
        """Whether code of this build can be loaded."""
        return self._suits == (build.fuel, build.details)

    def modules(self) -> int:
        """A wasmtime_linker_t with preview 1."""
        if not self._modules:
            self._modules = linker = capi.linker_new(self.engine.pointer)
            control.check(capi.linker_define_wasi(linker))
            self._callbacks = preview1.define_exit(linker), poll.define(linker, lambda _context: self.interrupt)
        return self._modules

    def components(self) -> int:
        """A wasmtime_component_linker_t with WASI 0.2."""
        if not self._components:
            self._components = capi.component_linker_new(self.engine.pointer)
            control.check(capi.component_linker_add_wasip2(self._components))
        return self._components

    def close(self) -> None:
        """Free it, unless it is there for others too."""
        if self in _ahead:
            return
        if self._modules:
            capi.linker_delete(self._modules)
        if self._components:
            capi.component_linker_delete(self._components)
        self._modules = self._components = 0
        self.engine.close()


def make_ahead() -> None:
    """Have one ready for code of the usual build, in this process and its children."""
    machine = Machine(Build())
    machine.modules()
    machine.components()
    _ahead.append(machine)


def machine_for(build: Build) -> Machine:
    """The one that is ready, or a new one."""
    return next((machine for machine in _ahead if machine.suits(build)), None) or Machine(build)
