"""What the operator changes in a cluster: each write may be repeated without harm, and is, for a while."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NoReturn

from wherry.cluster.connection import Connection
from wherry.cluster.failures import ClusterError, Conflict, Invalid, NotFound, Replaced
from wherry.cluster.patience import Patience, insist
from wherry.cluster.request import APPLY, JSON_PATCH, Request, Verb
from wherry.cluster.resources import WASM_APP, resource
from wherry.cluster.telling import Notice, Teller
from wherry_operator import labels
from wherry_operator.manifest import Identity, Key, Manifest

PATIENCE = Patience(budget=5.0)
"""A worker is held meanwhile, and other apps wait for it; the queue is patient for longer, and holds nobody."""
HANDOVER_MANAGER = "wherry-operator-handover"
"""Owns a Deployment's replicas from when the operator stops setting them until an autoscaler does."""


class Cluster:
    """Every method raises a ClusterError when patience is spent or when waiting would not help."""

    def __init__(self, connection: Connection, teller: Teller, patience: Patience | None = None) -> None:
        self._connection = connection
        self._teller = teller
        self._patience = patience or PATIENCE

    async def apply(self, manifest: Manifest, manager: str = labels.FIELD_MANAGER) -> Manifest:
        """Server-side apply: exactly these fields are ours afterwards, whoever had them. The object as it is now."""
        query = {"fieldManager": manager, "force": "true"}
        request = _about(Identity.of(manifest), "patch", query=query, body=manifest, content_type=APPLY)
        applied: Manifest = await self._insist(request, also=(Conflict,))
        return applied

    async def delete(self, identity: Identity, uid: str, propagation: str = "Background") -> None:
        """No object with this uid is left, or it is on its way out; another one of the same name stays."""
        options = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "preconditions": {"uid": uid},
            "propagationPolicy": propagation,
        }
        try:
            await self._insist(_about(identity, "delete", body=options), also=(Conflict,))
        except (NotFound, Replaced):
            return

    async def get(self, identity: Identity) -> Manifest | None:
        """None: there is no such object, or no such kind."""
        try:
            found: Manifest = await self._insist(_about(identity, "get"))
        except NotFound:
            return None
        return found

    async def create(self, manifest: Manifest) -> Manifest:
        """Raises AlreadyExists; after a lost answer also when it was this call that made it."""
        identity = Identity.of(manifest)
        kind = resource(identity.api_version, identity.kind)
        request = Request(verb="create", resource=kind, namespace=identity.namespace, body=manifest)
        created: Manifest = await self._insist(request)
        return created

    async def patch_status(self, key: Key, status: Mapping[str, Any], uid: str = "") -> Manifest:
        """Replace the whole status of a WasmApp, which is returned.

        uid: raises Replaced when the name belongs to another app by now.
        """
        patch: list[dict[str, Any]] = [{"op": "add", "path": "/status", "value": status}]
        if uid:
            patch.insert(0, {"op": "test", "path": "/metadata/uid", "value": uid})
        request = Request(
            verb="patch",
            resource=WASM_APP,
            namespace=key.namespace,
            name=key.name,
            subresource="status",
            query={"fieldManager": labels.FIELD_MANAGER},
            body=patch,
            content_type=JSON_PATCH,
        )
        try:
            patched: Manifest = await self._insist(request, also=(Conflict,))
        except Invalid as refused:
            await self._explain(request, uid, refused)
        return patched

    async def hand_over_replicas(self, identity: Identity) -> None:
        """Before an apply without spec.replicas: the value that is there stays, where it would become 1.

        Server-side apply removes a field that its only owner stops applying, so another manager takes it first.
        https://kubernetes.io/docs/reference/using-api/server-side-apply/#transferring-ownership
        """
        live = await self.get(identity)
        if live is None or not _owns_replicas(live):
            return
        await self.apply(
            {
                "apiVersion": identity.api_version,
                "kind": identity.kind,
                "metadata": {"namespace": identity.namespace, "name": identity.name, "uid": live["metadata"]["uid"]},
                "spec": {"replicas": live["spec"]["replicas"]},
            },
            HANDOVER_MANAGER,
        )

    async def emit(self, about: Manifest, notice: Notice) -> None:
        """An Event about an object. It is only news: a failure is logged, and the same news is told once in a while."""
        await self._teller.tell(about, notice)

    async def _explain(self, request: Request, uid: str, refused: Invalid) -> NoReturn:
        """The API server does not say that it was the test of the uid that failed."""
        live = await self._insist(replace(request, verb="get", subresource="", query={}, body=None))
        if uid and live["metadata"]["uid"] != uid:
            raise Replaced(f"{request}: another app has the name by now") from refused
        raise refused

    async def _insist(self, request: Request, also: tuple[type[ClusterError], ...] = ()) -> Any:
        return await insist(lambda: self._connection.ask(request, self._patience.attempt), self._patience, also=also)


def _about(identity: Identity, verb: Verb, **rest: Any) -> Request:
    kind = resource(identity.api_version, identity.kind)
    return Request(verb=verb, resource=kind, namespace=identity.namespace, name=identity.name, **rest)


def _owns_replicas(live: Manifest) -> bool:
    """Whether the operator applied spec.replicas last."""
    return any(
        entry.get("manager") == labels.FIELD_MANAGER and "f:replicas" in entry.get("fieldsV1", {}).get("f:spec", {})
        for entry in live["metadata"].get("managedFields", ())
    )
