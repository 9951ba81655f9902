"""The cluster that the user's kubeconfig names: the command line's only importer of the Kubernetes client."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wherry.errors import InputError, WherryError
from wherry.spec.model import GROUP, VERSION
from wherry_cli import answers
from wherry_operator.labels import APP

if TYPE_CHECKING:
    from kubernetes.client import ApiClient

Document = Mapping[str, Any]

APPS = f"/apis/{GROUP}/{VERSION}/namespaces/{{namespace}}/wasmapps"
PODS = "/api/v1/namespaces/{namespace}/pods"
FIELD_MANAGER = "wherry-cli"
PATCH = "application/merge-patch+json"
CONNECT, ANSWER = 10.0, 60.0
"""Seconds for a connection, and between two bytes of an answer that does not go on for ever."""
ENOUGH = 100
"""Apps that are looked through for the one that was meant."""
CHUNK = 1 << 16


class Cluster:
    """One namespace of a cluster, as one user; made by `connect`."""

    def __init__(self, client: ApiClient, namespace: str) -> None:
        self._client = client
        self.namespace = namespace

    def app(self, name: str) -> Document:
        """The WasmApp. Raises WherryError, which suggests another where there is none of that name."""
        status, body = self._answer("GET", f"{APPS}/{{name}}", name)
        if answers.is_absent(status, body):
            raise answers.no_such_app(name, self.namespace, self._names())
        found: Document = self._document(status, body)
        return found

    def pods(self, name: str) -> list[Document]:
        """The app's Pods, the oldest first. Raises WherryError."""
        listed = self._ask("GET", PODS, query={"labelSelector": f"{APP}={name}"})
        found: list[Document] = listed["items"]
        return sorted(found, key=lambda pod: (pod["metadata"]["creationTimestamp"], pod["metadata"]["name"]))

    def edit(self, app: Document, spec: Document) -> None:
        """Merge into the spec of an app that nobody has changed since it was read. Raises WherryError."""
        meta = {"resourceVersion": app["metadata"]["resourceVersion"]}
        self._patch(f"{APPS}/{{name}}", app["metadata"]["name"], {"metadata": meta, "spec": spec})

    def scale(self, name: str, replicas: int) -> None:
        """Through the subresource, as `kubectl scale` does. Raises WherryError."""
        self._patch(f"{APPS}/{{name}}/scale", name, {"spec": {"replicas": replicas}})

    def log(self, pod: str, query: Mapping[str, str]) -> Iterator[bytes]:
        """Whole lines of a container's log. query: as the API server takes it. Raises WherryError."""
        response = self._send("GET", f"{PODS}/{{name}}/log", pod, query, endless="follow" in query)
        if response.status >= 300:
            raise answers.refusal(response.status, response.read())
        rest = b""
        for chunk in response.response.stream(CHUNK):
            *lines, rest = (rest + chunk).split(b"\n")
            yield from (line + b"\n" for line in lines)
        if rest:
            yield rest + b"\n"

    def _names(self) -> list[str]:
        try:
            listed = self._ask("GET", APPS, query={"limit": str(ENOUGH)})
        except WherryError:  # whoever may not list has been told what is wrong already
            return []
        return [each["metadata"]["name"] for each in listed["items"]]

    def _patch(self, path: str, name: str, body: Document) -> None:
        self._ask("PATCH", path, name, {"fieldManager": FIELD_MANAGER}, body)

    def _ask(self, *args: Any, **rest: Any) -> Any:
        return self._document(*self._answer(*args, **rest))

    def _document(self, status: int, body: bytes) -> Any:
        if status >= 300:
            raise answers.refusal(status, body)
        return json.loads(body)

    def _answer(self, *args: Any, **rest: Any) -> tuple[int, bytes]:
        response = self._send(*args, **rest)
        return response.status, response.read()

    def _send(  # noqa: PLR0913, PLR0917  the parts of a request
        self,
        method: str,
        path: str,
        name: str = "",
        query: Mapping[str, str] | None = None,
        body: Document | None = None,
        endless: bool = False,
    ) -> Any:
        import urllib3  # noqa: PLC0415  of the Kubernetes client, as everything that waits for it

        headers = {"Accept": "application/json, */*", "Content-Type": PATCH if body else "application/json"}
        given = {"namespace": self.namespace, "name": name}
        request = self._client.param_serialize(
            method, path, given, [*(query or {}).items()], headers, body, auth_settings=["BearerToken"]
        )
        try:
            return self._client.call_api(*request, _request_timeout=(CONNECT, None if endless else ANSWER))
        except urllib3.exceptions.HTTPError as error:
            raise answers.unreachable(self._client.configuration.host, _reason(error)) from error


def connect(kubeconfig: Path | None, context: str | None, namespace: str | None) -> Cluster:
    """As kubectl finds it: the file, else $KUBECONFIG, else ~/.kube/config.

    Raises InputError for a file or a context that is not there, WherryError when the client is not installed.
    """
    try:
        from kubernetes import client, config  # noqa: PLC0415  a second that other commands need not pay
    except ImportError:
        raise WherryError("the Kubernetes client is not installed", cure="pip install 'wherry[cluster]'") from None
    known = client.Configuration()
    known.retries = False
    try:
        contexts, current = config.list_kube_config_contexts(kubeconfig and str(kubeconfig))
        chosen = next((each for each in contexts if each["name"] == context), None) if context else current
        if chosen is None:
            names = ", ".join(each["name"] for each in contexts)
            raise InputError(f"no context is named {context}", cure=f"there are {names}")
        config.load_kube_config(kubeconfig and str(kubeconfig), chosen["name"], known, persist_config=False)
    except (config.ConfigException, OSError) as error:
        raise InputError(f"no cluster is known: {error}", cure="name a kubeconfig with --kubeconfig") from error
    return Cluster(client.ApiClient(known), namespace or chosen["context"].get("namespace") or "default")


def _reason(error: Exception) -> str:
    """The innermost cause, without the addresses of objects and the numbers of errors."""
    text = str(getattr(error, "reason", None) or error)
    return re.sub(r"\[Errno -?[0-9]+\] ", "", text.rpartition(": ")[2])
