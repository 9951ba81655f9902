"""The hook's side of an uninstall: every node is asked by one annotation, and answers by one on its agent's Pod.

Nothing has to be tidied up afterwards: the annotations go with the DaemonSet and its Pods. An uninstall that cannot be
finished is taken back, and the agents install again what is missing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from wherry.cluster.connection import Connection
from wherry.cluster.failures import NotFound
from wherry.cluster.names import RUNTIME, Manifest
from wherry.cluster.patience import Patience, insist
from wherry.cluster.request import MERGE_PATCH, Request
from wherry.cluster.resources import DAEMON_SET, NODE, POD, Resource
from wherry.errors import WherryError
from wherry_agent.names import OUTCOME, READY, UNINSTALL, Order, Outcome

_BETWEEN = 1.0
_SHOWN = 5
_OVER = frozenset({"Succeeded", "Failed"})


class NotUninstalled(WherryError):
    """Wherry stays where it is; says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Uninstall:
    """namespace, daemon_set: of the agents. classes: RuntimeClasses of ours. id: of this order.

    wait: seconds for every node to answer. force: end Wasm pods, and give up nodes that do not answer.
    """

    connection: Connection
    namespace: str
    daemon_set: str
    classes: frozenset[str]
    id: str
    wait: float
    force: bool
    report: Callable[[str], None]
    patience: Patience = Patience()  # noqa: RUF009  frozen

    async def run(self) -> None:
        """Raises NotUninstalled, after every agent was told to stay; ClusterError."""
        try:
            selector = await self._selector()
        except NotFound:
            self.report(f"there is no DaemonSet {self.namespace}/{self.daemon_set}: nothing to do")
            return
        if not self.force:
            await self._nobody_runs()
            await self._nobody_is_forgotten(selector)
        await self._order(str(Order(self.id, self.force)))
        try:
            await self._everybody(selector)
        except BaseException:  # also when the hook is ended
            await self._order(None)
            raise

    async def _selector(self) -> str:
        found = await self._ask("get", DAEMON_SET, name=self.daemon_set, namespace=self.namespace)
        labels: Mapping[str, str] = found["spec"]["selector"]["matchLabels"]
        return ",".join(f"{name}={value}" for name, value in sorted(labels.items()))

    async def _nobody_runs(self) -> None:
        """Pods that are on their way out are waited for."""
        deadline = time.monotonic() + self.wait
        while pods := await self._wasm_pods():
            stay = [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]
            if stay or time.monotonic() > deadline:
                names = [_name(pod) for pod in stay or pods]
                cure = "scale the WasmApps down or delete them first, or force it (`--force`): that ends them"
                raise NotUninstalled(f"{len(names)} Wasm pods run: {_shown(names)}", cure=cure)
            await asyncio.sleep(_BETWEEN)

    async def _wasm_pods(self) -> list[Manifest]:
        pods = await self._list(POD, fields="status.phase!=Succeeded,status.phase!=Failed")
        return [pod for pod in pods if pod["spec"].get("runtimeClassName") in self.classes]

    async def _nobody_is_forgotten(self, selector: str) -> None:
        """A node whose agent was taken away, by a selector or a taint, still has everything."""
        agents = await self._list(POD, namespace=self.namespace, labels=selector)
        served = {pod["spec"].get("nodeName") for pod in agents}
        nodes = [node["metadata"]["name"] for node in await self._list(NODE, labels=f"{RUNTIME}={READY}")]
        if alone := [name for name in nodes if name not in served]:
            cure = "let the DaemonSet run there, or run `wherry-node uninstall` there, or force it (`--force`)"
            raise NotUninstalled(f"no agent runs on {_shown(alone)}, where Wherry is installed", cure=cure)

    async def _everybody(self, selector: str) -> None:
        deadline, told = time.monotonic() + self.wait, dict[str, str]()
        while True:
            agents = await self._list(POD, namespace=self.namespace, labels=selector)
            waiting = dict(_unfinished(agents, self.id))
            for node, fault in waiting.items():
                if fault and told.get(node) != fault:
                    self.report(f"{node}: {fault}")
            told = waiting
            if not waiting:
                self.report(f"{len(agents)} nodes are as they were")
                return None
            if time.monotonic() > deadline:
                return self._gave_up(waiting)
            await asyncio.sleep(_BETWEEN)

    def _gave_up(self, waiting: Mapping[str, str]) -> None:
        said = [f"{node} ({fault or 'no answer'})" for node, fault in sorted(waiting.items())]
        if not self.force:
            cure = "see the agents' logs there; `--force` ends pods and gives up nodes that do not answer"
            raise NotUninstalled(f"not finished after {self.wait:.0f} s: {_shown(said)}", cure=cure)
        self.report(f"given up, Wherry is still installed there: {_shown(said)}")

    async def _order(self, order: str | None) -> None:
        body = {"metadata": {"annotations": {UNINSTALL: order}}}
        request = Request(
            verb="patch",
            resource=DAEMON_SET,
            namespace=self.namespace,
            name=self.daemon_set,
            body=body,
            content_type=MERGE_PATCH,
        )
        await insist(lambda: self.connection.ask(request), self.patience)

    async def _list(
        self, resource: Resource, namespace: str = "", labels: str = "", fields: str = ""
    ) -> list[Manifest]:
        query = {name: text for name, text in (("labelSelector", labels), ("fieldSelector", fields)) if text}
        found: list[Manifest] = []
        while True:
            page = await self._ask("list", resource, namespace=namespace, query={"limit": "500", **query})
            found += page.get("items") or ()
            if not (more := page["metadata"].get("continue")):
                return found
            query["continue"] = more

    async def _ask(self, verb: str, resource: Resource, **more: object) -> Manifest:
        request = Request(verb=verb, resource=resource, **more)  # type: ignore[arg-type]
        answer: Manifest = await insist(lambda: self.connection.ask(request), self.patience)
        return answer


def _unfinished(agents: list[Manifest], order: str) -> Iterator[tuple[str, str]]:
    """Nodes whose agents have not said that all is done, with what they say."""
    for pod in agents:
        if (pod.get("status") or {}).get("phase") in _OVER:
            continue
        outcome = Outcome.parse((pod["metadata"].get("annotations") or {}).get(OUTCOME, ""))
        if outcome.order != order or outcome.fault:
            yield pod["spec"].get("nodeName", "?"), outcome.fault if outcome.order == order else ""


def _name(pod: Manifest) -> str:
    return f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"


def _shown(names: list[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")
