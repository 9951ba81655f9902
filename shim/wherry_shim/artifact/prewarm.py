"""Code before it is wanted: what the first Pod of an image would compile, compiled now."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from wherry.engine.compiler import Report
from wherry.engine.host import Host, silent
from wherry.engine.prepare import inspected, prepare
from wherry.plan import annotation
from wherry.plan.annotation import planned
from wherry.plan.from_bundle import check_names
from wherry.plan.model import RunPlan, WasmFile
from wherry_shim.artifact.chain import layer_of
from wherry_shim.artifact.image import Records
from wherry_shim.artifact.node import Node

_ANY_ORIGIN = ("https://*.invalid",)
"""Code differs by whether there is an origin, and not by which."""


def prewarm(image: str, node: Node, records: Records, text: str = "", report: Report = silent) -> tuple[Path, ...]:
    """The compiled code. image: as a Pod names it; it must be on the node, and its Wasm a layer.

    text: the annotation of the Pods that will come; without it, everything that Pods of this image may want but fuel.
    report: told when a compile takes long. Raises StartError: `artifact`, `plan`, and what compiling raises.
    """
    wasm = layer_of(image, node, records).file
    plans = [_announced(text, wasm)] if text else [*_likely(wasm)]
    host = Host(cache=node.cache, quota=node.quota, report=report)
    return tuple(dict.fromkeys(Path(prepare(plan, host).code) for plan in plans))


def _announced(text: str, wasm: WasmFile) -> RunPlan:
    known = annotation.parse(text)
    check_names(known, wasm, "the annotation")
    return planned(known, wasm.path, (), {}, ())


def _likely(wasm: WasmFile) -> Iterator[RunPlan]:
    run = inspected(wasm).run or "command"
    yield RunPlan(run, wasm)
    yield RunPlan(run, wasm, outbound=_ANY_ORIGIN)
