"""What a kubelet gives a container of a rendered Pod: variables from their sources, arguments expanded, mounts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wherry.plan.expansion import expand

WHOLE = "WHOLE"
"""The only key of every ConfigMap and Secret that brings all of its keys."""


@dataclass(frozen=True)
class Started:
    """One container. args: after the command. mounts: (volume, path, read-only)."""

    command: tuple[str, ...]
    args: tuple[str, ...]
    env: Mapping[str, str]
    mounts: tuple[tuple[str, str, bool], ...]

    @property
    def mountinfo(self) -> str:
        """Its /proc/self/mountinfo."""
        lines = ["600 500 0:50 / / ro,relatime - overlay overlay ro"]
        for number, (_, path, is_readonly) in enumerate(self.mounts):
            way, point = "ro" if is_readonly else "rw", path.replace(" ", r"\040")
            lines.append(f"{700 + number} 600 8:1 /vol {point} {way},relatime shared:1 - ext4 /dev/sda1 rw")
        return "\n".join(lines) + "\n"


def started(template: Mapping[str, Any], name: str = "app") -> Started:
    """template: metadata and spec of a Pod."""
    spec = template["spec"]
    container = next(each for each in [*spec.get("initContainers", ()), *spec["containers"]] if each["name"] == name)
    env = environment(container)
    command, args = (tuple(expand(word, env) for word in container.get(field, ())) for field in ("command", "args"))
    mounts = tuple(
        (each["name"], each["mountPath"], each.get("readOnly", False)) for each in container.get("volumeMounts", ())
    )
    return Started(command, args, env, mounts)


def environment(container: Mapping[str, Any]) -> dict[str, str]:
    env = {f"{source.get('prefix', '')}{WHOLE}": "from a whole source" for source in container.get("envFrom", ())}
    for each in container.get("env", ()):
        from_elsewhere = "valueFrom" in each
        env[each["name"]] = f"secret of {each['name']}" if from_elsewhere else expand(each["value"], env)
    return env
