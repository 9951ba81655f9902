"""The cluster that the user's kubeconfig names, and what the command line asks of it.

The client, which takes a second to import, is imported by whoever asks first.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from wherry.cluster.failures import ClusterError, Conflict, Forbidden, NotFound, Unauthenticated, Unavailable
from wherry.cluster.names import APP, Manifest
from wherry.cluster.request import MERGE_PATCH, Request
from wherry.cluster.resources import POD, WASM_APP
from wherry.errors import WherryError
from wherry.spec.wording import suggest

if TYPE_CHECKING:
    from wherry.cluster.connection import Connection
    from wherry.cluster.credentials import Credentials

T = TypeVar("T")

PROGRAM = "wherry"
"""As the audit log and the owners of fields name us."""
SILENCE, YEAR = 60.0, 365 * 86_400.0
"""Seconds without a byte, of a log that ends and of one that is followed."""
LOOKED_THROUGH, LISTED = "100", 5
"""Apps among which the one that was meant is looked for, and that are told of."""


class Cluster:
    """One namespace, as one user; of one event loop."""

    def __init__(self, connection: Connection, namespace: str) -> None:
        self._connection = connection
        self._namespace = namespace

    async def app(self, name: str) -> Manifest:
        """The WasmApp. Raises WherryError, which suggests another where there is none of that name."""
        try:
            found: Manifest = await self._ask(
                Request(verb="get", resource=WASM_APP, namespace=self._namespace, name=name)
            )
        except NotFound:
            raise await self._no_such_app(name) from None
        return found

    async def pods(self, name: str) -> list[Manifest]:
        """The app's Pods, the oldest first. Raises WherryError."""
        query = {"labelSelector": f"{APP}={name}"}
        listed = await self._ask(Request(verb="list", resource=POD, namespace=self._namespace, query=query))
        return sorted(listed["items"], key=lambda pod: (pod["metadata"]["creationTimestamp"], pod["metadata"]["name"]))

    async def edit(self, app: Manifest, spec: Manifest) -> None:
        """Merge into the spec of an app that nobody has changed since it was read. Raises WherryError."""
        meta = {"resourceVersion": app["metadata"]["resourceVersion"]}
        await self._patch(app["metadata"]["name"], {"metadata": meta, "spec": spec})

    async def scale(self, name: str, replicas: int) -> None:
        """Through the subresource, as `kubectl scale` does. Raises WherryError."""
        await self._patch(name, {"spec": {"replicas": replicas}}, "scale")

    @asynccontextmanager
    async def log(self, pod: str, query: Mapping[str, str]) -> AsyncIterator[AsyncIterator[bytes]]:
        """Pieces of a container's log. query: as the API server takes it. Raises WherryError."""
        request = Request(
            verb="get", resource=POD, namespace=self._namespace, name=pod, subresource="log", query=query, accept="*/*"
        )
        try:
            async with self._connection.stream(request, YEAR if "follow" in query else SILENCE) as pieces:
                yield pieces
        except ClusterError as error:
            raise _for_a_person(error, request) from None

    async def _no_such_app(self, name: str) -> WherryError:
        request = Request(verb="list", resource=WASM_APP, namespace=self._namespace, query={"limit": LOOKED_THROUGH})
        try:
            known = [str(each["metadata"]["name"]) for each in (await self._ask(request))["items"]]
        except NotFound:
            return WherryError("this cluster knows no WasmApps", cure="install Wherry in it, or choose with --context")
        except ClusterError:  # whoever may not list them may have named the right one of another namespace
            known = []
        listed = f"there are {', '.join(sorted(known)[:LISTED])}" if known else "name its namespace with -n"
        message = f"no WasmApp in namespace {self._namespace} is named {name}"
        return WherryError(message, cure=suggest(name, known) or listed)

    async def _patch(self, name: str, body: Manifest, subresource: str = "") -> None:
        await self._ask(
            Request(
                verb="patch",
                resource=WASM_APP,
                namespace=self._namespace,
                name=name,
                subresource=subresource,
                query={"fieldManager": PROGRAM},
                body=body,
                content_type=MERGE_PATCH,
            )
        )

    async def _ask(self, request: Request) -> Any:
        try:
            return await self._connection.ask(request)
        except ClusterError as error:
            raise _for_a_person(error, request) from None


@dataclass(frozen=True)
class Target:
    """A namespace of a cluster that nobody has talked to yet."""

    credentials: Credentials
    namespace: str

    def ask(self, question: Callable[[Cluster], Awaitable[T]]) -> T:
        """The answer, in an event loop of its own. Raises WherryError."""
        return asyncio.run(self._asked(question))

    async def _asked(self, question: Callable[[Cluster], Awaitable[T]]) -> T:
        from wherry.cluster.connection import connect  # noqa: PLC0415

        async with connect(self.credentials, PROGRAM) as connection:
            return await question(Cluster(connection, self.namespace))


def target(kubeconfig: Path | None, context: str, namespace: str) -> Target:
    """As kubectl finds it. "" for what the kubeconfig says.

    Raises InputError for a file or a context that is not there, WherryError when the client is not installed.
    """
    try:
        from wherry.cluster.credentials import KubeConfig, find  # noqa: PLC0415
    except ImportError:
        raise WherryError("the Kubernetes client is not installed", cure="pip install 'wherry[cluster]'") from None
    credentials = KubeConfig(str(kubeconfig), context) if kubeconfig else find(os.environ, context)
    return Target(credentials, namespace or credentials.namespace() or "default")


def _for_a_person(error: ClusterError, request: Request) -> ClusterError:
    """The same, with what a person at a command line can do about it."""
    cures: dict[type[ClusterError], str] = {
        Unauthenticated: "log in to the cluster again; `kubectl auth whoami` asks the same",
        Forbidden: f"your role must grant {request.permission}",
        Conflict: "somebody else has changed it just now: try again",
        Unavailable: "is this the cluster? `kubectl cluster-info` asks the same",
    }
    cure = next((cure for kind, cure in cures.items() if isinstance(error, kind)), error.cure)
    error.cure = cure
    return error
