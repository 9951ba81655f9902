"""WasmApp, wherry.dev/v1alpha1: the one description of its fields.

`parse` reads documents with it and `schema` makes the CRD of it. Sizes are bytes, times are seconds; after parsing,
defaults are filled in, and None means that a field has no default and was not written.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

from wherry.spec.collection import LABELS, Listing, Plain, Table
from wherry.spec.measure import Amount, Bytes, CountOrPercent, duration, never_or
from wherry.spec.names import (
    ABSOLUTE_PATH,
    APP_NAME,
    DIGEST,
    ENV_NAME,
    HOSTNAME,
    KEY,
    LABEL,
    PORT,
    REFERENCE,
    SUBDOMAIN,
    TIME_ZONE,
)
from wherry.spec.origin import EXPECTED as ORIGIN_EXPECTED
from wherry.spec.origin import MAX_ORIGIN, ORIGIN, Origin, parse_origin
from wherry.spec.quantity import Quantity
from wherry.spec.record import Record, field, record
from wherry.spec.rules import apart, at_least_one, exactly_one, needed_with, only_with, ordered
from wherry.spec.schedule import EXPECTED as SCHEDULE_EXPECTED
from wherry.spec.schedule import MAX_SCHEDULE, RANGES_RISE, SCHEDULE, parse_schedule
from wherry.spec.semantics import FILES_HAVE_VOLUMES, REQUESTS_WITHIN_LIMITS, THRESHOLD_WITHIN_KEYS
from wherry.spec.shape import EXACT, Boolean, Choice, Integer, Notation, Text
from wherry.spec.status import Status

GROUP = "wherry.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
KIND = "WasmApp"

Run = Literal["http", "command", "job", "cron"]
Executor = Literal["shim", "container"]
Scope = Literal["replicas", "everyNode"]
ServiceType = Literal["ClusterIP", "NodePort", "LoadBalancer"]
PathType = Literal["Prefix", "Exact", "ImplementationSpecific"]
ConcurrencyPolicy = Literal["Allow", "Forbid", "Replace"]

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
ORIGIN_SHAPE = Notation(parse_origin, str, ORIGIN, ORIGIN_EXPECTED, most=MAX_ORIGIN)
SCHEDULE_SHAPE = Notation(parse_schedule, str, SCHEDULE, SCHEDULE_EXPECTED, most=MAX_SCHEDULE, rules=(RANGES_RISE,))
AMOUNTS = Table(Amount(), most=16)
MARKS = Table(Text(most=4096), most=64)
WORD = Text("a string without NUL", r"[^\x00]*", most=131_072)
"""An argument or a variable's value; Linux takes no longer one."""


@record()
class LocalName:
    name: str = field(SUBDOMAIN, "Name of an object in the WasmApp's namespace.")


@record()
class Pull:
    refresh: float = field(
        never_or(duration("10s")),
        "How often to look again where a tag points: Never, or a duration; Never is infinite.",
        default=math.inf,
    )
    secrets: tuple[LocalName, ...] = field(
        Listing(Record(LocalName), most=16, key="name"), "Secrets with registry credentials.", default=()
    )


@record()
class KeySource:
    name: str = field(SUBDOMAIN, "Name of the Secret or ConfigMap.")
    key: str = field(KEY, "Key in it, whose value is a public key in PEM.")


@record(exactly_one("secret", "configMap"))
class VerifyKey:
    secret: KeySource | None = field(Record(KeySource), "A public key in a Secret.", default=None)
    config_map: KeySource | None = field(Record(KeySource), "A public key in a ConfigMap.", default=None)


@record(THRESHOLD_WITHIN_KEYS)
class Verify:
    keys: tuple[VerifyKey, ...] = field(Listing(Record(VerifyKey), most=16, least=1), "Public keys that are trusted.")
    threshold: int = field(Integer(1, 16), "How many of the keys must have signed the artifact.", default=1)


@record(ordered("min", "max"), at_least_one("cpu", "memory"))
class Autoscaling:
    min: int = field(Integer(1), "Fewest replicas.", default=1)
    max: int = field(Integer(1), "Most replicas.")
    cpu: int | None = field(Integer(1, 1000), "CPU to aim at, in percent of the request.", default=None)
    memory: int | None = field(Integer(1, 1000), "Memory to aim at, in percent of the request.", default=None)


@record()
class Service:
    port: int = field(PORT, "Port of the Service.", default=80)
    type: ServiceType = field(
        Choice(("ClusterIP", "NodePort", "LoadBalancer")), "Type of the Service.", default="ClusterIP"
    )


@record()
class IngressTLS:
    hosts: tuple[str, ...] = field(Listing(HOSTNAME, most=16, key="."), "Hosts of the certificate.", default=())
    secret_name: str | None = field(SUBDOMAIN, "Secret with the certificate and its key.", default=None)


@record()
class Ingress:
    class_name: str | None = field(SUBDOMAIN, "IngressClass; the cluster's default when absent.", default=None)
    hosts: tuple[str, ...] = field(Listing(HOSTNAME, most=16, key="."), "Hosts; every host when empty.", default=())
    path: str = field(
        Text("a path that starts with /", "/[^\\s]*", most=1024), "Path that leads to the app.", default="/"
    )
    path_type: PathType = field(
        Choice(("Prefix", "Exact", "ImplementationSpecific")), "How the path is compared.", default="Prefix"
    )
    tls: tuple[IngressTLS, ...] = field(Listing(Record(IngressTLS), most=16), "Certificates.", default=())
    annotations: Mapping[str, str] = field(MARKS, "Annotations of the Ingress.", default={})


@record()
class ParentRef:
    name: str = field(SUBDOMAIN, "Name of the Gateway.")
    namespace: str | None = field(LABEL, "Its namespace; the WasmApp's when absent.", default=None)
    section_name: str | None = field(SUBDOMAIN, "One of its listeners.", default=None)
    port: int | None = field(PORT, "Port of the listener.", default=None)


@record()
class Gateway:
    parent_refs: tuple[ParentRef, ...] = field(
        Listing(Record(ParentRef), most=32, least=1), "Gateways that lead to the app."
    )
    hostnames: tuple[str, ...] = field(Listing(HOSTNAME, most=16, key="."), "Hosts; every host when empty.", default=())


@record(exactly_one("ingress", "gateway"))
class Expose:
    ingress: Ingress | None = field(Record(Ingress), "Through an Ingress.", default=None)
    gateway: Gateway | None = field(Record(Gateway), "Through a Gateway, by an HTTPRoute.", default=None)


@record(apart("value", "valueFrom"))
class EnvVar:
    name: str = field(ENV_NAME, "Name of the variable.")
    value: str | None = field(WORD, "Its value; $(NAME) stands for an earlier variable.", default=None)
    value_from: Mapping[str, Mapping[str, object]] | None = field(
        Table(Plain(), most=1, least=1), "Where the value comes from, as in a Pod.", default=None
    )


@record()
class EnvSource:
    name: str = field(SUBDOMAIN, "Name of the object.")
    optional: bool = field(Boolean(), "Whether the Pod starts without it.", default=False)


@record(exactly_one("configMapRef", "secretRef"))
class EnvFrom:
    prefix: str | None = field(ENV_NAME, "Put before every name.", default=None)
    config_map_ref: EnvSource | None = field(Record(EnvSource), "Every key of a ConfigMap.", default=None)
    secret_ref: EnvSource | None = field(Record(EnvSource), "Every key of a Secret.", default=None)


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


@record(REQUESTS_WITHIN_LIMITS)
class Resources:
    requests: Mapping[str, Quantity] = field(AMOUNTS, "What the Pod is sure to get.", default={})
    limits: Mapping[str, Quantity] = field(AMOUNTS, "What the Pod gets at most.", default={})


@record()
class PodMetadata:
    labels: Mapping[str, str] = field(MARKS, "Labels of the Pod.", default={})
    annotations: Mapping[str, str] = field(LABELS, "Annotations of the Pod.", default={})


@record()
class PodTemplate:
    metadata: PodMetadata = field(Record(PodMetadata), "Labels and annotations of the Pod.", default=PodMetadata())
    spec: Mapping[str, object] = field(
        Plain((("volumes", Listing(Plain((("name", LABEL),), required=("name",)), most=64, key="name")),)),
        "A PodSpec, merged strategically over the rendered one; containers[name=app] is merged into the app's.",
        default={},
    )


@record()
class Job:
    backoff_limit: int | None = field(Integer(), "Retries before the Job fails.", default=None)
    completions: int | None = field(Integer(), "Runs that must succeed.", default=None)
    parallelism: int | None = field(Integer(), "Runs at once.", default=None)
    active_deadline_seconds: int | None = field(Integer(1, EXACT), "Seconds until the Job is ended.", default=None)
    ttl_seconds_after_finished: int | None = field(
        Integer(), "Seconds until a finished Job is removed.", default=None, name="ttlSecondsAfterFinished"
    )


@record()
class Cron:
    schedule: str = field(SCHEDULE_SHAPE, 'When to run: "*/5 * * * *", @hourly, @every 90m.')
    time_zone: str | None = field(
        TIME_ZONE, "Time zone of the schedule; the controller manager's when absent.", default=None
    )
    concurrency_policy: ConcurrencyPolicy = field(
        Choice(("Allow", "Forbid", "Replace")), "What happens when the last run has not ended.", default="Allow"
    )
    suspend: bool = field(Boolean(), "Whether to start no more runs.", default=False)


@record(exactly_one("minAvailable", "maxUnavailable"))
class Disruption:
    min_available: int | str | None = field(CountOrPercent(), "Pods that must stay.", default=None)
    max_unavailable: int | str | None = field(CountOrPercent(), "Pods that may go.", default=None)


@record()
class Rollout:
    automatic_rollback: bool = field(
        Boolean(), "Whether a digest that does not become available is put away for the last good one.", default=False
    )
    progress_deadline: float = field(duration("1s"), "How long a rollout may take.", default=600.0)
    history_limit: int = field(Integer(1, 100), "Revisions and finished Jobs that are kept.", default=10)


@record()
class Rollback:
    digest: str = field(DIGEST, "Digest of the revision to run.")
    artifact: str = field(REFERENCE, "spec.artifact as it was when this was written; without effect once that changes.")


CONTAINER = Plain(
    (
        ("name", Text(LABEL.expected, LABEL.pattern, most=63, but=("app",))),
        ("image", Text("an image", r"[^\s]+", most=1024)),
    ),
    required=("name", "image"),
)


@record(
    needed_with("cron", "run", "cron"),
    only_with("cron", "run", "cron", absent=False),
    only_with("job", "run", "job", "cron", absent=False),
    only_with("expose", "run", "http", absent=True),
    only_with("autoscaling", "run", "http", "command", absent=True),
    only_with("disruption", "run", "http", "command", absent=True),
    only_with("autoscaling", "scope", "replicas", absent=False),
    FILES_HAVE_VOLUMES,
)
class Spec:
    artifact: str = field(REFERENCE, "Reference of the Wasm artifact in an OCI registry.")
    pull: Pull = field(Record(Pull), "How the artifact is fetched.", default=Pull())
    verify: Verify | None = field(Record(Verify), "Signatures that the artifact must have.", default=None)
    run: Run | None = field(
        Choice(("http", "command", "job", "cron")),
        "How the artifact is run. When absent: http if it exports wasi:http/incoming-handler, else command.",
        default=None,
    )
    executor: Executor = field(
        Choice(("shim", "container")), "What runs it: the nodes' shim, or a container with the engine.", default="shim"
    )
    replicas: int = field(Integer(), "Pods; without effect when autoscaling is set.", default=1)
    autoscaling: Autoscaling | None = field(Record(Autoscaling), "A HorizontalPodAutoscaler.", default=None)
    scope: Scope = field(Choice(("replicas", "everyNode")), "everyNode runs one Pod on each node.", default="replicas")
    port: int = field(PORT, "Port where the app listens in its Pod.", default=8080)
    service: Service = field(Record(Service), "The Service in front of an http app.", default=Service())
    expose: Expose | None = field(Record(Expose), "The way in from outside the cluster.", default=None)
    args: tuple[str, ...] = field(
        Listing(WORD, most=1024),
        "Arguments after argv[0]; $(NAME) stands for a variable of env.",
        default=(),
    )
    env: tuple[EnvVar, ...] = field(Listing(Record(EnvVar), most=512, key="name"), "Environment variables.", default=())
    env_from: tuple[EnvFrom, ...] = field(
        Listing(Record(EnvFrom), most=64), "ConfigMaps and Secrets as environment.", default=()
    )
    capabilities: Capabilities = field(
        Record(Capabilities), "What the guest may reach; nothing is granted that is not here.", default=Capabilities()
    )
    limits: Limits = field(Record(Limits), "What one guest may use.", default=Limits())
    resources: Resources = field(
        Record(Resources),
        "Resources of the Pod, enforced by its cgroup.",
        default=Resources(requests={"cpu": Quantity("10m"), "memory": Quantity("32Mi")}),
    )
    containers: tuple[Mapping[str, object], ...] = field(
        Listing(CONTAINER, most=32, key="name"), "Ordinary containers in the same Pod.", default=()
    )
    pod_template: PodTemplate = field(Record(PodTemplate), "Merged over the rendered Pod.", default=PodTemplate())
    job: Job | None = field(Record(Job), "Settings of the Job.", default=None)
    cron: Cron | None = field(Record(Cron), "Settings of the CronJob.", default=None)
    disruption: Disruption | None = field(Record(Disruption), "A PodDisruptionBudget.", default=None)
    rollout: Rollout = field(Record(Rollout), "How a new version replaces the old one.", default=Rollout())
    rollback: Rollback | None = field(
        Record(Rollback), "Runs an earlier digest while spec.artifact is as it was.", default=None
    )


@record()
class Metadata:
    """The part of an object's metadata that means something here."""

    name: str = field(APP_NAME, "Name of the app.")
    namespace: str | None = field(LABEL, "Namespace.", default=None)
    labels: Mapping[str, str] = field(LABELS, "Labels.", default={})
    annotations: Mapping[str, str] = field(LABELS, "Annotations.", default={})


@record()
class WasmApp:
    """A WebAssembly app: one artifact, how it runs and what it may reach."""

    metadata: Metadata = field(Record(Metadata), "Name, namespace, labels and annotations.")
    spec: Spec = field(Record(Spec), "What is wanted.")
    status: Status = field(Record(Status), "What is.", default=Status())
