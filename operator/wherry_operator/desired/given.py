"""What one rendering is made from, and what each of its parts asks of that."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from wherry.oci.reference import pinned
from wherry.spec.model import Run, Spec, WasmApp
from wherry.spec.status import ArtifactStatus
from wherry_operator.desired.context import Context

Workload = Literal["Deployment", "DaemonSet", "Job", "CronJob"]


@dataclass(frozen=True, slots=True)
class Given:
    """run: as asked, or as the artifact's exports say."""

    app: WasmApp
    artifact: ArtifactStatus
    context: Context
    run: Run

    @property
    def name(self) -> str:
        return self.app.metadata.name

    @property
    def spec(self) -> Spec:
        return self.app.spec

    @property
    def serves(self) -> bool:
        return self.run == "http"

    @property
    def in_container(self) -> bool:
        """Whether the engine comes in an ordinary container, and not from the node."""
        return self.spec.executor == "container"

    @property
    def workload(self) -> Workload:
        if self.run == "job":
            return "Job"
        if self.run == "cron":
            return "CronJob"
        return "DaemonSet" if self.spec.scope == "everyNode" else "Deployment"

    @property
    def image(self) -> str:
        """The artifact by its digest, at the host that the user wrote. Raises InvalidReference."""
        return pinned(self.artifact.reference or self.spec.artifact, self.artifact.digest)

    def alone(self) -> Given:
        """The same without what the cluster and the operator's settings add: only the app and its artifact."""
        return replace(self, context=Context())
