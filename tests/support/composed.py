"""A composed component in this process, driven by its control protocol: what a guest made of one request.

wasmtime's Python API is enough here; the server has its own, faster way.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from wasmtime import Config, Engine, Store, WasiConfig, _ffi, component

from examples.toolchain.cache import once, root
from wherry.engine import capi
from wherry.engine.adapter.compose import Adapter, compose
from wherry.engine.config import target as machine

Fields = tuple[tuple[bytes, bytes], ...]
GRANTED_TICKS = 1


@dataclass(frozen=True)
class Request:
    """mode: of the body, in the protocol's terms; "" is the one that fits."""

    path: str = "/"
    method: str = "GET"
    headers: Fields = ()
    body: bytes = b""
    trailers: Fields = ()
    mode: str = ""
    egress: str = ""

    @property
    def head(self) -> str:
        mode = self.mode or ("b" if self.body or self.trailers else "-")
        lines = [self.method.encode(), self.path.encode(), b"http", b"wherry.test", mode.encode()]
        lines += [part for pair in self.headers for part in pair]
        if self.trailers and mode == "b":
            lines += [b"", *(part for pair in self.trailers for part in pair)]
        return b"\n".join(lines).decode("latin-1")


@dataclass
class Answer:
    """head and body are stdout, taken apart. replaced: later heads. ending: what run returned."""

    stdout: bytes = b""
    log: str = ""
    ending: int = -1
    trailers: str = ""
    replaced: list[str] = field(default_factory=list)

    @property
    def head(self) -> list[bytes]:
        return self.stdout[4 : 4 + int.from_bytes(self.stdout[:4], "little")].split(b"\n")

    @property
    def status(self) -> bytes:
        return self.head[0]

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        rest = self.head[1:]
        return list(zip(rest[::2], rest[1::2], strict=True))

    @property
    def body(self) -> bytes:
        return self.stdout[4 + int.from_bytes(self.stdout[:4], "little") :]

    @property
    def lines(self) -> list[str]:
        return self.body.decode("latin-1").splitlines()


@cache
def engine() -> Engine:
    config = Config()
    config.epoch_interruption = True
    return Engine(config)


@cache
def compiled(guest: Path, adapter: Adapter) -> component.Component:
    """Machine code is kept beside the guests: a JavaScript or Python one takes half a minute to compile."""
    composed = compose(guest.read_bytes(), adapter)
    name = f"{sha256(composed).hexdigest()[:32]}-{capi.VERSION}-{machine()}.cwasm"
    target = root() / "composed" / name
    once(target, lambda path: _write(path, component.Component(engine(), composed).serialize()))
    return component.Component.deserialize_file(engine(), str(target))


def _write(path: Path, data: bytes | bytearray) -> None:
    path.write_bytes(data)


def ask(guest: Path, request: Request, adapter: Adapter = "http", ticks: int = GRANTED_TICKS) -> Answer:
    """One request in a fresh instance. A trap raises wasmtime's error. ticks: of the epoch, until it is ended."""
    return call(compiled(guest, adapter), request, outbound=adapter == "http-outbound", ticks=ticks)


def call(
    composed: component.Component, request: Request, *, outbound: bool = False, ticks: int = GRANTED_TICKS
) -> Answer:
    answer = Answer()
    with _File() as stdout, _File() as stderr:
        store = _store(request, stdout, stderr, ticks)
        if outbound:
            _ffi.wasmtime_context_set_wasi_http(store._context())
        try:
            _run(store, _linker(request, answer, outbound=outbound).instantiate(store, composed), request, answer)
        finally:
            store.close()
            answer.stdout, answer.log = stdout.content(), stderr.content().decode()
    return answer


def serve_many(guest: Path, requests: Sequence[Request], memory: int) -> list[int]:
    """The same instance for all requests: the endings. memory: bytes that each of its memories may have."""
    answer = Answer()
    with _File() as stdout, _File() as stderr:
        store = _store(Request(), stdout, stderr, GRANTED_TICKS)
        store.set_limits(memory_size=memory)
        instance = _linker(Request(), answer, outbound=False).instantiate(store, compiled(guest, "http"))
        endings = []
        for request in requests:
            _run(store, instance, request, answer)
            endings.append(answer.ending)
        store.close()
    return endings


def _run(store: Store, instance: Any, request: Request, answer: Answer) -> None:
    _function(store, instance, "prepare")(store, request.head)
    answer.ending = _function(store, instance, "run")(store)
    if answer.ending == 1:
        answer.trailers = _function(store, instance, "trailers")(store)


def _function(store: Store, instance: Any, name: str) -> Any:
    return instance.get_func(store, name)


def _store(request: Request, stdout: _File, stderr: _File, ticks: int) -> Store:
    store = Store(engine())
    store.set_epoch_deadline(ticks)
    wasi = WasiConfig()
    wasi.stdout_file, wasi.stderr_file = stdout.path, stderr.path
    with _File(request.body) as stdin:
        wasi.stdin_file = stdin.path
    store.set_wasi(wasi)
    return store


def _linker(request: Request, answer: Answer, *, outbound: bool) -> component.Linker:
    linker = component.Linker(engine())
    linker.add_wasip2()
    if outbound:
        linker.add_wasi_http()
    lines = [part for pair in request.trailers for part in pair]
    with linker.root() as root, root.add_instance("wherry:host/control") as control:
        control.add_func("respond", lambda _store, head: answer.replaced.append(head))
        control.add_func("trailers", lambda _store: b"\n".join(lines).decode("latin-1"))
        control.add_func("egress", lambda _store: request.egress)
    return linker


class _File:
    """An anonymous file that has a path while it is open."""

    def __init__(self, content: bytes = b"") -> None:
        self._descriptor = os.memfd_create("guest")
        os.pwrite(self._descriptor, content, 0)
        self.path = f"/proc/self/fd/{self._descriptor}"

    def content(self) -> bytes:
        return os.pread(self._descriptor, os.fstat(self._descriptor).st_size, 0)

    def __enter__(self) -> _File:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)
