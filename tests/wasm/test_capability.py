"""From imports to the fields of a WasmApp."""

import pytest

from wherry.wasm.capability import asks
from wherry.wasm.module import Inspection


def importing(*names: str) -> Inspection:
    return Inspection(kind="component", wasi="0.2", world="", imports=names, exports=(), size=0, run=None)


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("wasi:http/outgoing-handler@0.2.3", "spec.capabilities.outboundHTTP"),
        ("wasi:http/client@0.3.2", "spec.capabilities.outboundHTTP"),
        ("wasi:filesystem/types@0.2.0", "spec.capabilities.files"),
        ("wasi_snapshot_preview1.path_open", "spec.capabilities.files"),
        ("wasi_snapshot_preview1.fd_prestat_get", "spec.capabilities.files"),
        ("wasi:cli/environment@0.2.0", "spec.env"),
        ("wasi_snapshot_preview1.environ_get", "spec.env"),
    ],
)
def test_an_import_names_the_field_that_grants_it(name: str, field: str) -> None:
    (ask,) = asks(importing(name))
    assert (ask.field, ask.imports) == (field, (name,))


@pytest.mark.parametrize("name", ["wasi:sockets/tcp@0.2.0", "wasi_snapshot_preview1.sock_accept"])
def test_sockets_are_granted_by_no_field(name: str) -> None:
    (ask,) = asks(importing(name))
    assert (ask.field, ask.meaning) == ("", "opens sockets, which are not available")


@pytest.mark.parametrize(
    "name",
    [
        "wasi:io/poll@0.2.9",
        "wasi:clocks/wall-clock@0.2.0",
        "wasi:random/random@0.2.0",
        "wasi:cli/stdout@0.2.0",
        "wasi:http/types@0.2.3",
        "wasi_snapshot_preview1.fd_write",
        "wasi_snapshot_preview1.proc_exit",
        "wasi_snapshot_preview1.poll_oneoff",
    ],
)
def test_what_every_guest_is_given_is_not_asked_for(name: str) -> None:
    assert asks(importing(name)) == ()


def test_an_import_that_no_part_of_the_host_has_is_named_last() -> None:
    found = asks(importing("env.draw", "wasi:filesystem/types@0.2.0", "wasi:keyvalue/store@0.2.0-draft"))
    assert [ask.field for ask in found] == ["spec.capabilities.files", ""]
    assert found[-1].imports == ("env.draw", "wasi:keyvalue/store@0.2.0-draft")
