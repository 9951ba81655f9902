"""A reference joined with what is known of its registry and of us there."""

from __future__ import annotations

from wherry.oci.credentials import Keychain
from wherry.oci.reference import Reference
from wherry.oci.registries import Registries
from wherry.oci.registry import RegistryRepository
from wherry.oci.transport.endpoint import endpoint_of
from wherry.oci.transport.patience import Patience


def open_registry(
    reference: Reference, registries: Registries, keychain: Keychain, patience: Patience
) -> RegistryRepository:
    """Connects to nothing yet, but where a loopback registry must be asked for its scheme. Close it."""
    endpoint = endpoint_of(reference.host, registries.get(reference.host))
    return RegistryRepository(reference, endpoint, keychain.credential(reference), patience)
