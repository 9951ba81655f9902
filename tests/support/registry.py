"""A real registry on loopback: Debian's docker-registry, or `registry` of the cluster programs.

with registry(tmp_path, tls=True, password=True) as server:
    push(path, f"{server.host}/demo/hello:v1", server.access(tmp_path / "cache"))
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import bcrypt
import pytest

from tests.support import cluster
from tests.support.certificates import Certificate, self_signed
from tests.support.token_server import ISSUER, PASSWORD, SERVICE, USER, TokenServer, token_server
from wherry.oci.access import Access
from wherry.oci.credentials import Credential, Keychain
from wherry.oci.registries import Entry

_LISTENING = re.compile(r"listening on [^ ]*:(\d+)")


@dataclass(frozen=True)
class Registry:
    """host: as references write it, `localhost:<port>`. entry: its line of a registries file; None where none is
    needed.

    storage: the folder where the registry keeps blobs, for tests that damage them. tokens: its token server.
    """

    host: str
    entry: Entry | None
    storage: Path
    credential: Credential | None = None
    tokens: TokenServer | None = None
    lines: list[str] = field(default_factory=list, repr=False)

    def access(self, cache: Path, **changes: Any) -> Access:
        """Access with this registry's entry and credential."""
        keychain = Keychain({self.host: self.credential} if self.credential else {})
        registries = {self.host: self.entry} if self.entry else {}
        return replace(Access(cache, registries, keychain), **changes)

    def registries_file(self, path: Path) -> Path:
        """The registries file that the CLI wants."""
        fields = {"ca": self.entry.ca, "plainHTTP": self.entry.plain_http} if self.entry else {}
        path.write_text(json.dumps({self.host: fields}))
        return path

    def blob_file(self, digest: str) -> Path:
        """Where the registry keeps a blob's bytes."""
        name = digest.removeprefix("sha256:")
        return self.storage / "docker/registry/v2/blobs/sha256" / name[:2] / name / "data"


def program() -> str:
    """The registry program; skips the test when there is none."""
    found = shutil.which("docker-registry") or shutil.which("registry", path=cluster.programs())
    if found is None:
        pytest.skip("no registry: apt-get install docker-registry")
    return found


@contextmanager
def registry(
    folder: Path, *, tls: bool = False, password: bool = False, token: bool = False, **settings: Any
) -> Iterator[Registry]:
    """A registry of its own storage under folder, up when this yields. token implies tls; the user is USER.

    settings: more of the registry's configuration, such as `storage={…}`.
    """
    folder = folder / "registry"
    folder.mkdir(parents=True)
    with ExitStack() as stack:
        certificate = self_signed(folder) if tls or token else None
        tokens = stack.enter_context(token_server(certificate)) if token and certificate else None
        config = _config(folder, certificate, tokens, password=password) | settings
        (folder / "config.yml").write_text(json.dumps(config))
        lines: list[str] = []
        port = stack.enter_context(_serving(folder / "config.yml", lines))
        entry = Entry(ca=certificate.pem) if certificate else None
        credential = Credential(USER, PASSWORD) if password or token else None
        yield Registry(f"localhost:{port}", entry, folder / "storage", credential, tokens, lines)


def _config(
    folder: Path, certificate: Certificate | None, tokens: TokenServer | None, *, password: bool
) -> dict[str, Any]:
    config: dict[str, Any] = {
        "version": "0.1",
        "log": {"level": "info", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": str(folder / "storage")}, "delete": {"enabled": True}},
        "http": {"addr": "127.0.0.1:0"},
    }
    if certificate:
        config["http"]["tls"] = {"certificate": str(certificate.cert_file), "key": str(certificate.key_file)}
    if tokens and certificate:
        bundle = {"realm": tokens.realm, "service": SERVICE, "issuer": ISSUER}
        config["auth"] = {"token": bundle | {"rootcertbundle": str(certificate.cert_file)}}
    elif password:
        config["auth"] = {"htpasswd": {"realm": "Registry Realm", "path": str(_htpasswd(folder))}}
    return config


def _htpasswd(folder: Path) -> Path:
    path = folder / "htpasswd"
    hashed = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode().replace("$2b$", "$2y$")
    path.write_text(f"{USER}:{hashed}\n")
    return path


@contextmanager
def _serving(config: Path, lines: list[str]) -> Iterator[int]:
    command = [program(), "serve", str(config)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
        assert process.stderr
        reader = threading.Thread(target=lines.extend, args=(process.stderr,))
        try:
            port = next((int(found[1]) for line in process.stderr if (found := _LISTENING.search(line))), None)
            assert port, f"{command[0]} ended with {process.wait()} before it listened"
            reader.start()
            yield port
        finally:
            process.terminate()
            if reader.ident:
                reader.join()
