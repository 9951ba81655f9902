"""Manifests, configs, layers and what users write, nearly right: each is read, or refused with one of our errors.

python -m tests.fuzz.manifests --seconds 60 --seed 1
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from io import BytesIO

from tests.fuzz.campaign import campaign
from tests.fuzz.mutation import mutations
from tests.support.artifacts import MODULE, READABLE, tar
from wherry.errors import ArtifactError, InputError
from wherry.oci import credentials, image_config, index_choice, layouts, registries, source, wasm_config
from wherry.oci.manifest import INDEX, MANIFEST, Index, RawManifest, parse
from wherry.oci.tar import TarReader

Target = tuple[Callable[[bytes], None], Sequence[bytes]]


def run_manifest(data: bytes) -> None:
    """What is read is written and read again as the same."""
    for media_type in (MANIFEST, INDEX):
        with suppress(ArtifactError):
            found = parse(RawManifest(media_type, data), "fuzz")
            assert parse(found.to_raw(), "fuzz") == found
            if isinstance(found, Index):
                assert index_choice.choose(found, "fuzz") in found.manifests
            else:
                assert all(layer in found.layers for layer in layouts.detect(found, "fuzz").layers)


def run_config(data: bytes) -> None:
    """Configs of both kinds."""
    with suppress(ArtifactError):
        found = wasm_config.parse(data, "fuzz")
        assert wasm_config.parse(found.to_bytes(), "fuzz") == found
    with suppress(ArtifactError):
        path = image_config.program(image_config.parse(data, "fuzz"), "fuzz")
        assert not path.startswith("/")


def run_tar(data: bytes) -> None:
    """No more comes out than went in."""
    reader = TarReader(BytesIO(data))
    with suppress(ArtifactError):
        assert sum(len(b"".join(reader.body())) for _ in reader) <= len(data)


def run_text(data: bytes) -> None:
    """What users write: sources, logins, registries files."""
    text = data.decode(errors="surrogateescape")
    with suppress(InputError):
        source.parse(text)
    with suppress(InputError):
        credentials.parse(data, "fuzz")
    with suppress(InputError):
        registries.parse(text, "fuzz")


def targets() -> tuple[Target, ...]:
    """Each reader with the inputs that it starts from."""
    artifacts = [*READABLE, *(child for artifact in READABLE for child in artifact.children)]
    configs = [blob for artifact in artifacts for blob in artifact.blobs if blob[:1] == b"{"]
    texts = [b"ghcr.io/acme/hello:v1@sha256:" + b"a" * 64, b"oci:a/b:c", b"h:5000: {endpoint: 'https://x', ca: y}"]
    login = {"auths": {"https://index.docker.io/v1/": {"auth": "YTpi", "identitytoken": "x"}}}
    return (
        (run_manifest, [artifact.manifest.data for artifact in artifacts]),
        (run_config, configs),
        (run_tar, [tar({"a" * 200: MODULE, "l": "b", "d": None}, form) for form in (1, 2)]),
        (run_text, [*texts, json.dumps(login).encode()]),
    )


def inputs(seed: int) -> Iterator[tuple[Callable[[bytes], None], bytes]]:
    """Endless, in turn for each reader; the same for the same seed."""
    streams = [(run, mutations(corpus, seed)) for run, corpus in targets()]
    while True:
        for run, stream in streams:
            yield run, next(stream)


if __name__ == "__main__":
    campaign(__doc__, lambda seed: [(run, mutations(corpus, seed)) for run, corpus in targets()])
