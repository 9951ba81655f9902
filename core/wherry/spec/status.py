"""WasmApp's status: what the operator found and did. Written by the operator alone."""

from __future__ import annotations

from typing import Literal

from wherry.spec.collection import Listing
from wherry.spec.record import Record, field, record
from wherry.spec.shape import EXACT, Choice, Integer, Text

WORDS = Text(most=1024)
SENTENCE = Text(most=4096)
TIME = Text("a time such as 2026-01-31T12:00:00Z", r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z", most=20)
INTERFACES = Listing(Text(most=512), most=1024)

ConditionType = Literal["Resolved", "Verified", "Available", "Progressing", "Ready"]
Truth = Literal["True", "False", "Unknown"]


@record()
class ArtifactStatus:
    reference: str = field(WORDS, "The reference that was resolved.", default="")
    digest: str = field(WORDS, "Digest of the manifest that runs; never of an index.", default="")
    wasm: str = field(WORDS, "Digest of the Wasm binary.", default="")
    index: str = field(WORDS, "Digest of the index that named that manifest; empty without one.", default="")
    entrypoint: str = field(WORDS, "Path of the Wasm file in an image of tar layers; empty for a layer.", default="")
    kind: str = field(WORDS, "module or component.", default="")
    world: str = field(WORDS, "The world that it fits.", default="")
    imports: tuple[str, ...] = field(INTERFACES, "Interfaces that it asks for, 64 at most.", default=())
    exports: tuple[str, ...] = field(INTERFACES, "Interfaces that it offers, 64 at most.", default=())
    size: int = field(Integer(0, EXACT), "Bytes of the Wasm binary.", default=0)
    signed_by: tuple[str, ...] = field(Listing(WORDS, most=64), "Keys whose signatures were accepted.", default=())
    resolved_at: str | None = field(TIME, "When the digest was found.", default=None)
    inputs: str = field(WORDS, "Hash of what the digest was found from.", default="")


@record()
class Rejected:
    digest: str = field(WORDS, "Digest that automatic rollback put away.")
    reason: str = field(SENTENCE, "Why.")
    time: str = field(TIME, "When.")


@record()
class Revision:
    digest: str = field(WORDS, "Digest that ran.")
    reference: str = field(WORDS, "The reference that it came from.")
    index: str = field(WORDS, "Digest of the index that named it; empty without one.", default="")
    since: str = field(TIME, "From when on.")


@record()
class Trap:
    time: str = field(TIME, "When it happened.")
    pod: str = field(WORDS, "Pod in which it happened.")
    reason: str = field(WORDS, "Why, as in the termination message: trap/unreachable, limit/timeout.")
    message: str = field(SENTENCE, "One sentence and the backtrace.")


@record()
class Condition:
    type: ConditionType = field(Choice(("Resolved", "Verified", "Available", "Progressing", "Ready")), "What is told.")
    status: Truth = field(Choice(("True", "False", "Unknown")), "Whether it is so.")
    reason: str = field(WORDS, "Why, in one word.")
    message: str = field(Text(most=32_768), "Why, in a sentence.", default="")
    last_transition_time: str = field(TIME, "When the status last changed.")
    observed_generation: int = field(Integer(0, EXACT), "Generation of the spec that this is about.", default=0)


@record()
class Status:
    observed_generation: int = field(Integer(0, EXACT), "Generation of the spec that this is about.", default=0)
    replicas: int = field(Integer(), "Pods.", default=0)
    ready_replicas: int = field(Integer(), "Pods that are ready.", default=0)
    selector: str = field(WORDS, "Labels of the Pods, for autoscalers.", default="")
    url: str = field(WORDS, "Where the app answers.", default="")
    artifact: ArtifactStatus | None = field(Record(ArtifactStatus), "What runs.", default=None)
    rejected: tuple[Rejected, ...] = field(Listing(Record(Rejected), most=100), "What was put away.", default=())
    revisions: tuple[Revision, ...] = field(Listing(Record(Revision), most=100), "What ran.", default=())
    last_job: str = field(
        WORDS, "Name of the Job that was made last, and is not made again when it is removed.", default=""
    )
    last_trap: Trap | None = field(Record(Trap), "The last trap.", default=None)
    conditions: tuple[Condition, ...] = field(
        Listing(Record(Condition), most=16, key="type"), "Conditions.", default=()
    )
