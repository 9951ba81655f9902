"""What real cosign signs we verify, and what we sign real cosign verifies: release 2 by tag, release 3 both ways.

Nothing leaves the machine: cosign is given a proxy that is not there.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE, STDOUT

import pytest

from tests.oci.signature.signers import ALGORITHMS, pem_of, public_pem_of, publish, signer
from tests.support.registry import Registry, registry
from wherry.errors import VerificationError
from wherry.oci.access import opened
from wherry.oci.reference import parse
from wherry.oci.signature import Form, PrivateKey, claims, private_key, public_keys, sign, verify
from wherry.oci.store import Repository

pytestmark = pytest.mark.peer

RELEASES = (2, 3)
TOOLS = Path.home() / ".cache/wherry/tools"
LEGACY = ("--new-bundle-format=false",)
UNLOGGED = {"mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json"}
"""A signing configuration without a transparency log."""

SIGN: dict[tuple[int, Form], tuple[str, ...]] = {
    (2, "simplesigning"): ("--tlog-upload=false",),
    (3, "simplesigning"): (*LEGACY, "--use-signing-config=false", "--tlog-upload=false"),
    (3, "bundle"): ("--signing-config=unlogged.json",),
}
VERIFY: dict[tuple[int, Form], tuple[str, ...]] = {
    (2, "simplesigning"): LEGACY,
    (3, "simplesigning"): LEGACY,
    (3, "bundle"): (),
}
SIGNS = ("P-256", "P-384", "RSA")
VERIFIES = (*SIGNS, "Ed25519")
"""With an Ed25519 key cosign signs a hash of the payload (Ed25519ph) and then refuses its own signature; so do we."""


@dataclass
class Workshop:
    """A registry with an artifact, and a folder where cosign runs."""

    folder: Path
    server: Registry
    repository: Repository
    digest: str

    def cosign(self, release: int, *arguments: str) -> str:
        """Its output; an exit code other than 0 fails."""
        environ = {"HOME": str(self.folder), "COSIGN_PASSWORD": "open", "PATH": os.environ["PATH"]}
        environ |= {"HTTPS_PROXY": "http://127.0.0.1:1", "HTTP_PROXY": "http://127.0.0.1:1", "NO_PROXY": "localhost"}
        command = [str(program(release)), *arguments]
        done = subprocess.run(
            command, env=environ, cwd=self.folder, stdout=PIPE, stderr=STDOUT, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    def key(self, algorithm: str) -> PrivateKey:
        """A new key, as `test.key` and `test.pub`, and in cosign's form as `cosign.key`."""
        key = ALGORITHMS[algorithm]()
        (self.folder / "test.key").write_bytes(pem_of(key))
        (self.folder / "test.pub").write_bytes(public_pem_of(key))
        self.cosign(3, "import-key-pair", "--key", "test.key", "--output-key-prefix", "cosign", "-y")
        return private_key(pem_of(key), "test.key")

    @property
    def name(self) -> str:
        return f"{self.server.host}/demo/hello@{self.digest}"


def program(release: int) -> Path:
    """cosign of that release; skips the test when it is not built."""
    path = TOOLS / f"cosign-{release}" / "cosign"
    if not path.exists():
        pytest.skip(f"no cosign {release}: tests/oci/signature/build-cosign")
    return path


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[Workshop]:
    with registry(tmp_path) as server:
        reference = parse(f"{server.host}/demo/hello:v1")
        with opened(reference, server.access(tmp_path / "cache")) as repository:
            (tmp_path / "unlogged.json").write_text(json.dumps(UNLOGGED))
            yield Workshop(tmp_path, server, repository, publish(repository))


@pytest.mark.parametrize("algorithm", SIGNS)
@pytest.mark.parametrize(("release", "form"), SIGN)
def test_what_cosign_signs_we_verify(workshop: Workshop, release: int, form: Form, algorithm: str) -> None:
    key = workshop.key(algorithm)
    flags = SIGN[release, form]
    workshop.cosign(release, "sign", "--key=cosign.key", "--allow-http-registry", "-y", *flags, workshop.name)
    assert [claim.form for claim in claims(workshop.repository, workshop.digest)] == [form]  # type: ignore[union-attr]
    assert verify(workshop.repository, workshop.digest, [key.public]).signers == (key.public,)
    with pytest.raises(VerificationError, match=f"a {form} signature by another key"):
        verify(workshop.repository, workshop.digest, [signer(algorithm).public])


@pytest.mark.parametrize("algorithm", VERIFIES)
@pytest.mark.parametrize(("release", "form"), VERIFY)
def test_what_we_sign_cosign_verifies(workshop: Workshop, release: int, form: Form, algorithm: str) -> None:
    sign(workshop.repository, workshop.digest, workshop.key(algorithm), (form,))
    assert workshop.digest in cosign_verify(workshop, release, form)
    workshop.key(algorithm)
    with pytest.raises(AssertionError, match=r"verif|signature"):
        cosign_verify(workshop, release, form)


def cosign_verify(workshop: Workshop, release: int, form: Form) -> str:
    flags = ("--key=test.pub", "--insecure-ignore-tlog=true", "--allow-http-registry", *VERIFY[release, form])
    return workshop.cosign(release, "verify", *flags, workshop.name)


def test_we_and_both_releases_of_cosign_add_to_one_tag(workshop: Workshop) -> None:
    ours = workshop.key("P-256")
    sign(workshop.repository, workshop.digest, ours)
    for release in RELEASES:
        flags = SIGN[release, "simplesigning"]
        workshop.key("P-256")
        workshop.cosign(release, "sign", "--key=cosign.key", "--allow-http-registry", "-y", *flags, workshop.name)
    theirs = public_keys((workshop.folder / "test.pub").read_bytes(), "test.pub")
    found = verify(workshop.repository, workshop.digest, [ours.public, *theirs], threshold=2)
    assert found.signers == (ours.public, *theirs)
