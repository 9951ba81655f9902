"""What an app reads around it: ConfigMaps, Secrets and service accounts, by name, and what follows for its Pods."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from wherry.oci import registries as registries_file
from wherry.oci.reference import parse
from wherry.oci.registries import Registries
from wherry.spec.model import Spec, WasmApp
from wherry.spec.status import ArtifactStatus
from wherry_operator.cluster.observed import Observed
from wherry_operator.cluster.sources import content
from wherry_operator.cluster.writing import Cluster
from wherry_operator.desired import sources
from wherry_operator.desired.context import Context
from wherry_operator.desired.sources import Source
from wherry_operator.manifest import Identity, Key, Manifest
from wherry_operator.supply.wanted import key_of
from wherry_operator.supply.wanted import sources as sources_of_supply


@dataclass(frozen=True, slots=True)
class Around:
    """missing: what Pods need and is not there, as `Secret token`."""

    context: Context
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Read:
    """What was made of a spec and its sources at these versions. The contents themselves are not kept."""

    spec: Spec
    versions: Mapping[Identity, str]
    env_names: tuple[str, ...]
    checksum: str
    missing: tuple[str, ...]


class Surroundings:
    """inputs_key: makes checksums that say nothing without it. shared: what is the same for every app."""

    def __init__(
        self, observed: Observed, cluster: Cluster, inputs_key: bytes, shared: Context, registries: Registries
    ) -> None:
        self._observed = observed
        self._cluster = cluster
        self._inputs_key = inputs_key
        self._shared = shared
        self._registries = registries
        self._read: dict[Key, _Read] = {}

    async def of(self, app: WasmApp, uid: str, artifact: ArtifactStatus | None) -> Around:
        """Raises a ClusterError. From now on a change of what the app reads is told."""
        key = key_of(app)
        named = {_identity(key, each): each for each in sources.of_pods(app)}
        self._observed.reads(key, {*named, *sources_of_supply(app)})
        read = await self._remembered(key, app, named)
        context = replace(
            self._shared,
            owner=uid,
            env_names=read.env_names,
            checksum=read.checksum,
            registries=self._registry(artifact.reference) if artifact else "",
        )
        return Around(context, read.missing)

    async def get(self, kind: str, namespace: str, name: str) -> Mapping[str, bytes] | None:
        """The data of a ConfigMap or Secret, as supplying asks for it. Raises a ClusterError."""
        found = await self._cluster.get(Identity("v1", kind, namespace, name))
        return None if found is None else content(found)

    async def pull_secrets(self, namespace: str, service_account: str) -> tuple[str, ...]:
        """Names in a service account's imagePullSecrets. Raises a ClusterError."""
        found = await self._cluster.get(Identity("v1", "ServiceAccount", namespace, service_account))
        return tuple(each["name"] for each in (found or {}).get("imagePullSecrets") or ())

    def forget(self, key: Key) -> None:
        """The app is gone."""
        self._read.pop(key, None)

    async def _remembered(self, key: Key, app: WasmApp, named: Mapping[Identity, Source]) -> _Read:
        """Read again unless every source is known to be as it was."""
        versions = {each: version for each, version in self._observed.versions(key).items() if each in named}
        known = self._read.get(key)
        if known and versions.keys() == named.keys() and (known.spec, known.versions) == (app.spec, versions):
            return known
        self._read[key] = read = await self._looked_at(app, named, versions)
        return read

    async def _looked_at(
        self, app: WasmApp, named: Mapping[Identity, Source], versions: Mapping[Identity, str]
    ) -> _Read:
        found: dict[Source, Manifest | None] = {
            source: await self._cluster.get(identity) for identity, source in named.items()
        }
        needed = sources.needed(app)
        return _Read(
            app.spec,
            versions,
            sources.env_names(app, found),
            sources.checksum(self._inputs_key, named.values(), found),
            tuple(f"{each.kind} {each.name}" for each in sorted(needed) if found.get(each) is None),
        )

    def _registry(self, reference: str) -> str:
        """The part of the registries file that a runner needs for this artifact; "" for none."""
        host = parse(reference).host
        entry = self._registries.get(host)
        return registries_file.dump({host: entry}) if entry else ""


def _identity(key: Key, source: Source) -> Identity:
    return Identity("v1", source.kind, key.namespace, source.name)
