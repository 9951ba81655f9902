"""What apps read, by name; and the key of its checksums, which is made once."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping

import pytest

from tests.support.clients import cluster_of
from tests.support.control_plane import ControlPlane
from wherry.errors import InputError
from wherry_operator.cluster.inputs_key import inputs_key
from wherry_operator.cluster.sources import Readers, content, read
from wherry_operator.manifest import Identity, Key

pytestmark = pytest.mark.peer


def test_data_of_both_kinds_is_bytes_and_what_is_not_there_is_left_out(
    control_plane: ControlPlane, namespace: str
) -> None:
    binary, base = base64.b64encode(b"\xff\x00").decode(), f"/api/v1/namespaces/{namespace}"
    control_plane.create(
        f"{base}/configmaps", {"metadata": {"name": "c"}, "data": {"t": "é"}, "binaryData": {"b": binary}}
    )
    control_plane.create(f"{base}/secrets", {"metadata": {"name": "s"}, "data": {"b": binary}})
    named = (("ConfigMap", "c"), ("Secret", "s"), ("Secret", "absent"))
    wanted = [Identity("v1", kind, namespace, name) for kind, name in named]

    async def scenario() -> dict[Identity, Mapping[str, bytes]]:
        async with cluster_of(control_plane.kubeconfig()) as (_, cluster):
            return await read(cluster, wanted)

    assert asyncio.run(scenario()) == {wanted[0]: {"t": "é".encode(), "b": b"\xff\x00"}, wanted[1]: {"b": b"\xff\x00"}}


def test_sources_without_data_have_none() -> None:
    assert content({"kind": "Secret", "metadata": {}}) == {}
    assert content({"kind": "ConfigMap", "metadata": {}}) == {}


def test_who_reads_nothing_any_more_leaves_nothing_behind() -> None:
    readers, key, source = Readers(), Key("n", "a"), Identity("v1", "Secret", "n", "s")
    readers.set(key, [source])
    assert readers.of(source) == (key,)
    readers.set(key, [])
    assert readers.of(source) == ()
    assert vars(readers) == vars(Readers())


def test_replicas_that_start_together_agree_on_one_key(control_plane: ControlPlane, namespace: str) -> None:
    async def scenario() -> list[bytes]:
        async with cluster_of(control_plane.kubeconfig()) as (_, cluster):
            return await asyncio.gather(*(inputs_key(cluster, namespace) for _ in range(8)))

    keys = asyncio.run(scenario())
    assert len(set(keys)) == 1
    assert len(keys[0]) == 32


def test_a_key_that_somebody_broke_is_told_with_the_cure(control_plane: ControlPlane, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/secrets"
    control_plane.create(path, {"metadata": {"name": "wherry-operator-inputs-key"}, "stringData": {"key": "short"}})

    async def scenario() -> None:
        async with cluster_of(control_plane.kubeconfig()) as (_, cluster):
            await inputs_key(cluster, namespace)

    with pytest.raises(InputError, match="got 5 bytes in key, expected 32; delete the Secret"):
        asyncio.run(scenario())
