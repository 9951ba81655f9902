"""The annotation `plan.wherry.dev/<container>`: of a plan, only what a Pod cannot say (CONTRACTS: operator to node).

The operator renders it, the node and the runner read it. Sizes are bytes, times are seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from wherry.plan import document
from wherry.plan.codec import ORIGIN, WORD
from wherry.plan.document import LIMITS, Seconds
from wherry.plan.model import ARGV0, DEFAULT_DRAIN, Limits, Mount, Run, RunPlan, WasmFile
from wherry.spec.collection import Listing
from wherry.spec.names import ABSOLUTE_PATH, DIGEST, PORT
from wherry.spec.record import Record, field, record
from wherry.spec.rules import needed_with, only_with
from wherry.spec.shape import Choice, Integer

PREFIX = "plan.wherry.dev/"


@record()
class Http:
    port: int = field(PORT, "Where the guest is served.")
    drain: float = field(Seconds(), "To finish requests after SIGTERM.")


@record(needed_with("http", "run", "http"), only_with("http", "run", "http", absent=False))
class Annotation:
    v: int = field(Integer(1, 1), "Version of this document.")
    run: Run = field(Choice(("http", "command")), "How the guest is called.")
    wasm: str = field(DIGEST, "Digest of the Wasm layer.")
    http: Http | None = field(Record(Http), "For http alone.", default=None)
    limits: Limits = field(LIMITS, "What one guest may use.")
    outbound: tuple[str, ...] = field(Listing(ORIGIN, most=128), "Origins that the guest may call.", default=())
    env: tuple[str, ...] = field(Listing(WORD, most=4096, key="."), "Variables that are the guest's.", default=())
    mounts: tuple[str, ...] = field(Listing(ABSOLUTE_PATH, most=256, key="."), "Mounts that are its own.", default=())


SHAPE = Record(Annotation)


def render(annotation: Annotation) -> str:
    """JSON; what is empty is left out."""
    return document.dump(SHAPE, annotation)


def parse(text: str) -> Annotation:
    """Raises StartError with the reason `plan` and every wrong field."""
    return document.read(SHAPE, document.load(text))


def annotated(plan: RunPlan) -> Annotation:
    """What a plan says beyond its Pod."""
    return Annotation(
        v=1,
        run=plan.run,
        wasm=plan.wasm.digest,
        http=Http(port=plan.port, drain=plan.drain) if plan.run == "http" else None,
        limits=plan.limits,
        outbound=plan.outbound,
        env=tuple(name for name, _ in plan.env),
        mounts=tuple(mount.guest for mount in plan.mounts),
    )


def planned(
    annotation: Annotation, path: str, args: Iterable[str], env: Mapping[str, str], mounts: Iterable[Mount]
) -> RunPlan:
    """The plan of an annotation and of what its Pod gave: the module's path here, arguments, variables and mounts."""
    return RunPlan(
        run=annotation.run,
        wasm=WasmFile(path, annotation.wasm),
        argv=(ARGV0, *args),
        env=tuple(sorted(env.items())),
        mounts=tuple(sorted(mounts, key=lambda mount: mount.guest)),
        port=annotation.http.port if annotation.http else 0,
        drain=annotation.http.drain if annotation.http else DEFAULT_DRAIN,
        limits=annotation.limits,
        outbound=annotation.outbound,
    )
