"""Whatever bytes come as keys, payloads or bundles: one typed error, or an answer."""

import base64
import contextlib
import json

from hypothesis import given
from hypothesis import strategies as st

from tests.oci.signature.signers import ALGORITHMS, pem_of, public_pem_of
from wherry.errors import ArtifactError, InputError
from wherry.oci.descriptor import Descriptor
from wherry.oci.signature import bundle, private_key, public_keys, simplesigning

DIGEST = "sha256:" + "ab" * 32
PUBLIC = {name: public_pem_of(make()) for name, make in ALGORITHMS.items()}
PRIVATE = {name: pem_of(make()) for name, make in ALGORITHMS.items()}

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)


def nearly(**fields: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    """An object with these fields, where any of them may be anything."""
    return st.fixed_dictionaries({name: value | anything for name, value in fields.items()}) | anything


def encoded(documents: st.SearchStrategy[object]) -> st.SearchStrategy[bytes]:
    return documents.map(lambda document: json.dumps(document).encode())


statements = nearly(
    _type=st.just(bundle.STATEMENTS[0]),
    predicateType=st.just(bundle.PREDICATE),
    subject=st.lists(nearly(digest=nearly(sha256=st.just("ab" * 32))), max_size=2),
)
envelopes = nearly(
    payloadType=st.just(bundle.STATEMENT_TYPE),
    payload=encoded(statements).map(lambda raw: base64.b64encode(raw).decode()),
    signatures=st.lists(nearly(sig=st.just("e30=")), max_size=6),
)
bundles = nearly(
    mediaType=st.just(bundle.MEDIA_TYPE),
    dsseEnvelope=envelopes,
    verificationMaterial=nearly(publicKey=nearly(hint=st.text(max_size=4))),
)
critical = nearly(
    type=st.just(simplesigning.PAYLOAD),
    image=nearly(**{"docker-manifest-digest": st.just(DIGEST)}),
    identity=nearly(**{"docker-reference": st.text(max_size=4)}),
)


def mutated(data: bytes, choice: st.DataObject) -> bytes:
    changed = bytearray(data)
    for _ in range(choice.draw(st.integers(0, 3))):
        changed[choice.draw(st.integers(0, len(changed) - 1))] = choice.draw(st.integers(0, 255))
    return bytes(changed[: choice.draw(st.integers(0, len(changed)))])


@given(st.sampled_from(sorted(PUBLIC)), st.data())
def test_a_damaged_public_key_is_refused_or_is_a_key(algorithm: str, choice: st.DataObject) -> None:
    with contextlib.suppress(InputError):
        for key in public_keys(mutated(PUBLIC[algorithm], choice), "key"):
            assert not key.verifies(b"signature", b"payload")


@given(st.sampled_from(sorted(PRIVATE)), st.data())
def test_a_damaged_private_key_is_refused_or_signs(algorithm: str, choice: st.DataObject) -> None:
    with contextlib.suppress(InputError):
        key = private_key(mutated(PRIVATE[algorithm], choice), "key")
        assert key.public.name == "key"


@given(st.binary(max_size=200) | encoded(bundles))
def test_a_bundle_of_any_shape_is_refused_or_read(blob: bytes) -> None:
    with contextlib.suppress(ArtifactError):
        assert bundle.read(blob, DIGEST, "here").form == "bundle"


@given(st.binary(max_size=200) | encoded(nearly(critical=critical)), st.just("e30=") | st.text(max_size=8))
def test_a_payload_of_any_shape_is_refused_or_read(payload: bytes, signature: str) -> None:
    layer = Descriptor.of(payload, simplesigning.LAYER, {simplesigning.SIGNATURE: signature})
    with contextlib.suppress(ArtifactError):
        assert simplesigning.read(payload, layer, DIGEST, "here").form == "simplesigning"
