"""What a rendering needs beyond the app and its artifact."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Context:
    """owner: uid of the WasmApp, "" offline, where objects then have no owner references.

    env_names: variables that envFrom brings, read from the ConfigMaps and Secrets, with their prefixes.
    checksum: keyed checksum of what the app reads from ConfigMaps and Secrets, "" for none; it goes into the Pod
    template. runner_image: for executor container. registries: text of a registries file with what is not ordinary
    about the artifact's host, its CA inline, "" where it is ordinary; for the runner. always_pull: the kubelet asks the
    registry at every start.
    """

    owner: str = ""
    env_names: tuple[str, ...] = ()
    checksum: str = ""
    runner_image: str = ""
    registries: str = ""
    always_pull: bool = False
