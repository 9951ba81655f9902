"""The annotation `plan.wherry.dev/<container>`: of a plan, only what a Pod cannot say (CONTRACTS: operator to node).

The operator renders it, the node and the runner read it. Sizes are bytes, times are seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from wherry.plan import document
from wherry.plan.codec import ORIGIN, WORD
from wherry.plan.document import LIMITS, Seconds
from wherry.plan.model import ARGV0, DEFAULT_DRAIN, HTTP_TIMEOUT, Limits, Mount, Run, RunPlan, WasmFile
from wherry.spec.collection import Listing
from wherry.spec.model import Spec
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


def annotated(spec: Spec, run: Run, digest: str, drain: float = DEFAULT_DRAIN, names: Iterable[str] = ()) -> Annotation:
    """What an app says beyond its Pod. names: the variables that its envFrom brings, which only a cluster knows."""
    return Annotation(
        v=1,
        run=run,
        wasm=digest,
        http=Http(port=spec.port, drain=drain) if run == "http" else None,
        limits=_limits(spec, run),
        outbound=tuple(map(str, spec.capabilities.outbound_http)),
        env=tuple(dict.fromkeys([*(variable.name for variable in spec.env), *names])),
        mounts=tuple(grant.mount_path for grant in spec.capabilities.files),
    )


def _limits(spec: Spec, run: Run) -> Limits:
    given = spec.limits
    timeout = HTTP_TIMEOUT if run == "http" and given.timeout is None else given.timeout
    return Limits(memory=given.memory, timeout=timeout, fuel=given.fuel, concurrency=given.concurrency)


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
