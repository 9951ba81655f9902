"""How large the images are: as a node keeps them, as it pulls them, and how much of that is ours."""

from __future__ import annotations

import gzip
import json
import subprocess
import tarfile
import tempfile
from pathlib import Path

from bench.measure import Row, alone
from tests.support.docker import base, docker, inspect

TITLE = "size of the images"
BUILD = Path(__file__).parents[1] / "images" / "build"
MIB = 1 << 20


def measure(quick: bool) -> list[Row]:
    """quick: the smallest alone."""
    names = ["runner"] if quick else ["operator", "agent", "runner"]
    built = subprocess.run([BUILD, *names], capture_output=True, text=True, check=True).stdout.split()
    rows = [row(f"{each}, on the node", inspect(each)["Size"]) for each in sorted(set(map(base, names)))]
    for name, image in zip(names, built, strict=True):
        below = inspect(base(name))
        ours = layers(image)[len(below["RootFS"]["Layers"]) :]
        rows += [
            row(f"{name}, on the node", inspect(image)["Size"]),
            row(f"{name}, on the node, without its base", inspect(image)["Size"] - below["Size"]),
            row(f"{name}, pulled, without its base", sum(map(packed, ours))),
        ]
    return rows


def row(measured: str, size: int) -> Row:
    return alone(measured, "MiB", [size / MIB])


def layers(image: str) -> list[bytes]:
    """From the lowest."""
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "image.tar"
        docker("save", "--output", str(archive), image)
        with tarfile.open(archive) as tar:
            return [member(tar, name) for name in json.loads(member(tar, "manifest.json"))[0]["Layers"]]


def member(tar: tarfile.TarFile, name: str) -> bytes:
    file = tar.extractfile(name)
    assert file
    return file.read()


def packed(layer: bytes) -> int:
    """Bytes as a registry sends it."""
    return len(gzip.compress(layer, compresslevel=6))
