"""What a guest may reach, and how much of it it may use."""

from __future__ import annotations

from wherry.spec.collection import Listing
from wherry.spec.measure import Bytes, duration
from wherry.spec.names import ABSOLUTE_PATH, LABEL
from wherry.spec.origin import EXPECTED, MAX_ORIGIN, ORIGIN, Origin, parse_origin
from wherry.spec.record import Record, field, record
from wherry.spec.shape import EXACT, Boolean, Integer, Notation

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
ORIGIN_SHAPE = Notation(parse_origin, str, ORIGIN, EXPECTED, most=MAX_ORIGIN)


@record()
class FileGrant:
    name: str = field(LABEL, "A volume of podTemplate.spec.volumes; locally a folder given with --mount.")
    mount_path: str = field(ABSOLUTE_PATH, "Where the guest sees it.")
    read_only: bool = field(Boolean(), "Whether the guest may only read.", default=True)


@record()
class Capabilities:
    outbound_http: tuple[Origin, ...] = field(
        Listing(ORIGIN_SHAPE, most=128, key="."),
        "Origins that the guest may call: https://api.example.com, https://*.example.com:8443.",
        default=(),
        name="outboundHTTP",
    )
    files: tuple[FileGrant, ...] = field(
        Listing(Record(FileGrant), most=32, key="mountPath"), "Folders that the guest sees.", default=()
    )


@record()
class Limits:
    memory: int = field(Bytes(64 * KIB, 4 * GIB), "Linear memory of one instance.", default=128 * MIB)
    timeout: float | None = field(
        duration("1ms"),
        "Time for one request (30s when absent), or for a whole run of other kinds (no limit).",
        default=None,
    )
    fuel: int | None = field(
        Integer(1, EXACT), "Instructions for one request or run; no limit when absent.", default=None
    )
    concurrency: int = field(Integer(1, 1024), "Instances alive at once in a Pod.", default=16)
