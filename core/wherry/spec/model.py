"""WasmApp, wherry.dev/v1alpha1: the one description of its fields.

`parse` reads documents with it and `schema` makes the CRD of it. The parts of a spec are in `supply`, `exposure`,
`pod`, `grants` and `lifecycle`. Sizes are bytes, times are seconds; after parsing, defaults are filled in, and None
means that a field has no default and was not written.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from wherry.spec.collection import LABELS, Listing
from wherry.spec.exposure import Expose, Service
from wherry.spec.grants import Capabilities, Limits
from wherry.spec.lifecycle import Autoscaling, Cron, Disruption, Job, Rollback, Rollout
from wherry.spec.names import APP_NAME, LABEL, PORT, REFERENCE
from wherry.spec.pod import CONTAINER, WORD, EnvFrom, EnvVar, PodTemplate, Resources
from wherry.spec.quantity import Quantity
from wherry.spec.record import Record, field, record
from wherry.spec.rules import Rule, Values, clash, needed_with, only_with
from wherry.spec.shape import Choice, Integer
from wherry.spec.status import Status
from wherry.spec.supply import Pull, Verify

GROUP = "wherry.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
KIND = "WasmApp"

Run = Literal["http", "command", "job", "cron"]
Executor = Literal["shim", "container"]
Scope = Literal["replicas", "everyNode"]


def _unmounted(values: Values) -> list[str]:
    volumes: Any = values["podTemplate"].spec.get("volumes") or ()
    known = {volume["name"] for volume in volumes}
    return [grant.name for grant in values["capabilities"].files if grant.name not in known]


FILES_HAVE_VOLUMES = Rule(
    fields=("capabilities", "podTemplate"),
    holds=lambda values: not _unmounted(values),
    cel="!has(self.capabilities) || !has(self.capabilities.files) || self.capabilities.files.all(grant, "
    "has(self.podTemplate) && has(self.podTemplate.spec) && has(self.podTemplate.spec.volumes) && "
    "self.podTemplate.spec.volumes.exists(volume, volume.name == grant.name))",
    at="capabilities.files",
    got=lambda values: f"no volume named {' or '.join(sorted(set(_unmounted(values))))} in podTemplate.spec.volumes",
    expected="a volume of each name there",
)


@record(
    needed_with("cron", "run", "cron"),
    only_with("cron", "run", "cron", absent=False),
    only_with("job", "run", "job", "cron", absent=False),
    only_with("expose", "run", "http", absent=True),
    only_with("autoscaling", "run", "http", "command", absent=True),
    only_with("disruption", "run", "http", "command", absent=True),
    only_with("autoscaling", "scope", "replicas", absent=False),
    only_with("disruption", "scope", "replicas", absent=False),
    clash("scope", "everyNode", "run", "job", "cron"),
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
