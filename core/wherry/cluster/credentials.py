"""Where the API server is and who we are: the Pod's service account, or a kubeconfig."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kubernetes.aio.client import Configuration
from kubernetes.aio.config import ConfigException, list_kube_config_contexts, load_kube_config
from yaml import YAMLError

from wherry.errors import InputError

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
TOKEN_LIFE = 60.0
"""Seconds for which a token that was read is used; the kubelet renews the file long before the token ends."""

_CURE = "name a kubeconfig with KUBECONFIG"


@dataclass(slots=True)
class InCluster:
    """The mounted service account. The clock is monotonic, so that a jump of the wall clock keeps no old token."""

    url: str
    account: Path = ACCOUNT
    clock: Callable[[], float] = time.monotonic
    _read_at: float = float("-inf")

    async def configure(self, configuration: Configuration) -> None:
        """Raises InputError without the files."""
        configuration.host = self.url
        configuration.ssl_ca_cert = str(self.account / "ca.crt")
        await self.refresh(configuration)

    def namespace(self) -> str:
        """The Pod's own. Raises InputError without the file."""
        return _read(self.account / "namespace")

    async def refresh(self, configuration: Configuration, *, refused: bool = False) -> None:
        """Before every request, and once more when a token was refused."""
        now = self.clock()
        if refused or now - self._read_at >= TOKEN_LIFE:
            configuration.api_key["BearerToken"] = f"Bearer {_read(self.account / 'token')}"
            self._read_at = now


@dataclass(frozen=True, slots=True)
class KubeConfig:
    """A kubeconfig of any kind: token, certificate, plugin. context "": the current one."""

    path: str
    context: str = ""

    async def configure(self, configuration: Configuration) -> None:
        """Raises InputError when there is no such file or context."""
        with self._told():
            await load_kube_config(self.path, self.context or None, configuration, persist_config=False)

    def namespace(self) -> str:
        """The context's, "" where it names none. Raises InputError when there is no such file or context."""
        with self._told():
            contexts, current = list_kube_config_contexts(self.path)
        named = {str(each["name"]): each["context"] for each in contexts}
        if self.context and self.context not in named:
            raise InputError(f"{self.path}: no context is named {self.context}", cure=f"there are {', '.join(named)}")
        return str((named[self.context] if self.context else current["context"]).get("namespace", ""))

    async def refresh(self, configuration: Configuration, *, refused: bool = False) -> None:
        """A plugin or a token file is asked again when what it gave was refused."""
        if refused:
            await self.configure(configuration)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """What is wrong with the files, of which $KUBECONFIG may name several."""
        if not any(Path(each).exists() for each in self.path.split(os.pathsep)):
            raise InputError(f"{self.path}: no such file", cure=_CURE)
        try:
            yield
        except (ConfigException, OSError, YAMLError) as error:
            raise InputError(f"{self.path}: {' '.join(str(error).split())}", cure=_CURE) from error


Credentials = InCluster | KubeConfig


def find(environ: Mapping[str, str], context: str = "") -> Credentials:
    """$KUBECONFIG or a named context before the Pod's service account before ~/.kube/config."""
    host, port = environ.get("KUBERNETES_SERVICE_HOST"), environ.get("KUBERNETES_SERVICE_PORT")
    if host and port and not environ.get("KUBECONFIG") and not context:
        return InCluster(f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}")
    return KubeConfig(environ.get("KUBECONFIG") or str(Path.home() / ".kube" / "config"), context)


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError as error:
        cure = "mount the service account's token into the Pod"
        raise InputError(f"{path}: {error.strerror}", cure=cure) from error
