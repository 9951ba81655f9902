"""Container images of a few files, put into a registry of the tests by HTTP: no other program, none of our code."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import platform
import tarfile
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())


@dataclass(frozen=True)
class Image:
    """files: bytes by absolute path, all executable; setuid: those of them that run as their owner, root. links: other
    names of a file, by absolute path. config: what `docker inspect` shows as Config, such as Entrypoint, Env, User.
    """

    files: Mapping[str, bytes]
    config: Mapping[str, Any]
    links: Mapping[str, str] = field(default_factory=dict)
    setuid: frozenset[str] = frozenset()

    def layer(self) -> bytes:
        """The one layer as a tar, the same bytes each time."""
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as tar:
            for path in _folders([*self.files, *self.links]):
                tar.addfile(_entry(path, tarfile.DIRTYPE))
            for path, data in self.files.items():
                entry = _entry(path, tarfile.REGTYPE, size=len(data))
                entry.mode |= 0o4000 if path in self.setuid else 0
                tar.addfile(entry, io.BytesIO(data))
            for path, target in self.links.items():
                tar.addfile(_entry(path, tarfile.LNKTYPE, linkname=target.strip("/")))
        return buffer.getvalue()

    def blobs(self) -> tuple[bytes, bytes, bytes]:
        """Layer, config and manifest, ready to be stored."""
        plain = self.layer()
        layer = gzip.compress(plain, mtime=0)
        system = {"architecture": ARCHITECTURE, "os": "linux", "config": self.config}
        config = json.dumps(system | {"rootfs": {"type": "layers", "diff_ids": [digest(plain)]}}).encode()
        parts = {"config": descriptor(CONFIG, config), "layers": [descriptor(LAYER, layer)]}
        return layer, config, json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, **parts}).encode()


def _folders(paths: Sequence[str]) -> list[str]:
    """What the paths lie in, outermost first."""
    parts = [path.strip("/").split("/")[:-1] for path in paths]
    return sorted({"/".join(part[: depth + 1]) for part in parts for depth in range(len(part))} | {"tmp"})


def _entry(path: str, kind: bytes, size: int = 0, linkname: str = "") -> tarfile.TarInfo:
    entry = tarfile.TarInfo(path.strip("/"))
    entry.type, entry.size, entry.linkname = kind, size, linkname
    entry.mode = 0o1777 if path == "tmp" else 0o755
    return entry


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def descriptor(media_type: str, data: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest(data), "size": len(data)}


def push(host: str, repository: str, tag: str, image: Image) -> str:
    """Store an image; the digest of its manifest."""
    layer, config, manifest = image.blobs()
    for blob in (layer, config):
        put_blob(host, repository, blob)
    return put_manifest(host, repository, tag, manifest, MANIFEST)


def put_blob(host: str, repository: str, data: bytes) -> None:
    started = _ask("POST", f"http://{host}/v2/{repository}/blobs/uploads/")
    separator = "&" if "?" in started["location"] else "?"
    where = urllib.parse.urljoin(f"http://{host}/", started["location"])
    _ask("PUT", f"{where}{separator}digest={digest(data)}", data, "application/octet-stream")


def put_manifest(host: str, repository: str, tag: str, data: bytes, media_type: str) -> str:
    _ask("PUT", f"http://{host}/v2/{repository}/manifests/{tag}", data, media_type)
    return digest(data)


def _ask(method: str, url: str, data: bytes = b"", media_type: str = "") -> dict[str, str]:
    headers = {"Content-Type": media_type} if media_type else {}
    request = urllib.request.Request(url, data, headers, method=method)
    with urllib.request.urlopen(request, timeout=60) as response:
        return {name.lower(): value for name, value in response.headers.items()}
