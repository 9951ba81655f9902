"""What an image is made of, as CycloneDX 1.6: `sbom.py LOCK`, run by the image's own Python while it is built.

The same image gives the same bytes: there is no serial number and no time in it.
"""

from __future__ import annotations

import json
import platform
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.parse import quote

PROJECT = "wherry"
_PIN = re.compile(
    r"^(?P<name>[\w.-]+)==(?P<version>[^\s;]+)[^\\\n]*(?P<hashes>(?:\\\n\s+--hash=\S+\s*)+)", re.MULTILINE
)


def document(lock: str, distributions: list[metadata.Distribution], packages: str) -> dict[str, Any]:
    """lock: the text of a requirements file. packages: lines of name, version and architecture, of Debian's."""
    hashes = {pin["name"]: re.findall(r"sha256:([0-9a-f]{64})", pin["hashes"]) for pin in _PIN.finditer(lock)}
    ours = next(each for each in distributions if each.name == PROJECT)
    described = _component("application", PROJECT, ours.version, f"pkg:pypi/{PROJECT}@{ours.version}")
    parts = [*_python(distributions, hashes), *_debian(packages)]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": described},
        "components": sorted(parts, key=lambda part: part["purl"]),
    }


def _python(distributions: list[metadata.Distribution], hashes: dict[str, list[str]]) -> Iterator[dict[str, Any]]:
    yield _component(
        "application", "python", platform.python_version(), f"pkg:generic/python@{platform.python_version()}"
    )
    for each in distributions:
        name = re.sub(r"[-_.]+", "-", each.name).lower()
        if name == PROJECT:
            continue
        part = _component("library", name, each.version, f"pkg:pypi/{name}@{each.version}")
        page = f"https://pypi.org/project/{name}/{each.version}/"
        part["externalReferences"] = [{"type": "distribution", "url": page, "hashes": _sums(hashes[name])}]
        yield part | _license(each)


def _debian(packages: str) -> Iterator[dict[str, Any]]:
    for line in packages.splitlines():
        name, version, architecture = line.split()
        purl = f"pkg:deb/debian/{name}@{quote(version)}?arch={architecture}"
        yield _component("library", name, version, purl)


def _component(kind: str, name: str, version: str, purl: str) -> dict[str, Any]:
    return {"type": kind, "name": name, "version": version, "purl": purl, "bom-ref": purl}


def _sums(hashes: list[str]) -> list[dict[str, str]]:
    """Of the files any one of which was installed."""
    return [{"alg": "SHA-256", "content": each} for each in hashes]


def _license(distribution: metadata.Distribution) -> dict[str, Any]:
    expression = distribution.metadata.json.get("license_expression")
    return {"licenses": [{"expression": expression}]} if expression else {}


def _installed_packages() -> str:
    """Empty where the base is not Debian."""
    query = ["dpkg-query", "--show", "--showformat=${Package} ${Version} ${Architecture}\n"]
    try:
        return subprocess.run(query, capture_output=True, text=True, check=True).stdout
    except FileNotFoundError:
        return ""


if __name__ == "__main__":
    found = document(Path(sys.argv[1]).read_text(), list(metadata.distributions()), _installed_packages())
    sys.stdout.write(json.dumps(found, indent=1) + "\n")
