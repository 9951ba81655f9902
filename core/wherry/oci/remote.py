"""A reference joined with what is known of its registry and of us there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

from wherry.errors import RegistryError
from wherry.oci.credentials import Keychain
from wherry.oci.reference import Reference
from wherry.oci.registries import Registries
from wherry.oci.registry import RegistryRepository
from wherry.oci.transport.endpoint import endpoint_of
from wherry.oci.transport.faults import fault
from wherry.oci.transport.patience import Patience


@contextmanager
def registry(
    reference: Reference, registries: Registries, keychain: Keychain, patience: Patience
) -> Iterator[RegistryRepository]:
    """The repository, closed afterwards. Nothing is connected to before its first verb."""
    endpoint = endpoint_of(reference.host, registries.get(reference.host))
    credential = keychain.credential(reference)
    with closing(RegistryRepository(reference, endpoint, credential, patience)) as repository:
        try:
            yield repository
        except RegistryError as error:
            if error.kind != "auth" or credential or not keychain.helpers:
                raise
            cure = "its password may be in a credential helper, which is never run: pass --username, --password-stdin"
            raise fault("auth", error.message, cure=cure) from None
