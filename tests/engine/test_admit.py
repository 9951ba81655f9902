"""What this host runs is decided from names, and what it does not run is told in the guest's terms."""

from __future__ import annotations

import pytest

from wherry.engine.admit import PREVIEW1_FUNCTIONS, adapter_of, admit, missing
from wherry.engine.config import Adapter
from wherry.errors import StartError
from wherry.plan.model import Run
from wherry.wasm.module import Inspection, Kind, Wasi

RUN = "wasi:cli/run@0.2.3"
HANDLER = "wasi:http/incoming-handler@0.2.10"


def seen(kind: Kind, exports: tuple[str, ...], imports: tuple[str, ...] = (), wasi: Wasi | None = "0.2") -> Inspection:
    return Inspection(kind=kind, wasi=wasi, world="", imports=imports, exports=exports, size=8, run=None)


@pytest.mark.parametrize(
    ("run", "inspection", "entry"),
    [
        ("command", seen("module", ("memory", "_start"), wasi="preview1"), "_start"),
        ("http", seen("module", ("_start",), wasi="preview1"), "_start"),
        ("command", seen("module", ("_start",), wasi=None), "_start"),
        ("command", seen("component", (RUN,)), RUN),
        ("http", seen("component", (RUN, HANDLER)), HANDLER),
        ("command", seen("component", (HANDLER, RUN)), RUN),
    ],
)
def test_a_guest_is_entered_where_its_kind_of_run_says(run: Run, inspection: Inspection, entry: str) -> None:
    assert admit(inspection, run, "app.wasm") == entry


@pytest.mark.parametrize(
    ("run", "exports"),
    [
        ("http", (RUN,)),
        ("command", (HANDLER,)),
        ("command", ("wasi:cli/run@0.2.0-rc-2023-11-10",)),
        ("command", ()),
    ],
)
def test_a_guest_without_the_entry_is_told_what_it_exports(run: Run, exports: tuple[str, ...]) -> None:
    with pytest.raises(StartError, match=f"app.wasm cannot run as {run}: it exports") as refused:
        admit(seen("component", exports), run, "app.wasm")
    assert refused.value.reason == "unsupported"
    assert ", ".join(exports) in refused.value.message


@pytest.mark.parametrize("exports", [("wasi:http/handler@0.3.2",), ("wasi:cli/run@0.3.0",), ()])
def test_wasi_0_3_is_refused_with_its_cure(exports: tuple[str, ...]) -> None:
    with pytest.raises(StartError, match=r"app\.wasm is a WASI 0\.3 component") as refused:
        admit(seen("component", exports, wasi="0.3"), "http", "app.wasm")
    assert refused.value.reason == "unsupported"
    assert refused.value.cure == "rebuild it for WASI 0.2"


def test_imports_that_nobody_provides_are_listed() -> None:
    strange = ("wasi:keyvalue/store@0.2.0", "acme:data/query@1.0.0", "wasi:nn/graph@0.2.0", "log")
    inspection = seen("component", (RUN,), ("wasi:cli/environment@0.2.0", "wasi:sockets/tcp@0.2.0", *strange))
    assert missing(inspection) == strange
    with pytest.raises(StartError, match="wasi:nn/graph") as refused:
        admit(inspection, "command", "app.wasm")
    assert refused.value.reason == "missing-import"


def test_every_function_of_preview1_is_given_and_no_other() -> None:
    given = tuple(f"wasi_snapshot_preview1.{name}" for name in sorted(PREVIEW1_FUNCTIONS))
    strange = ("wasi_snapshot_preview1.sock_open", "wasi_unstable.fd_write", "env.abort")
    assert missing(seen("module", ("_start",), given + strange, "preview1")) == strange


@pytest.mark.parametrize(
    ("run", "kind", "imports", "outbound", "adapter"),
    [
        ("command", "module", (), ("https://a.example",), "none"),
        ("http", "module", (), (), "none"),
        ("command", "component", (), (), "command"),
        ("command", "component", ("wasi:http/outgoing-handler@0.2.0",), (), "command"),
        ("command", "component", ("wasi:http/outgoing-handler@0.2.0",), ("https://a.example",), "command-outbound"),
        ("http", "component", ("wasi:http/types@0.2.0",), ("https://a.example",), "http"),
        ("http", "component", ("wasi:http/outgoing-handler@0.2.0",), ("https://a.example",), "http-outbound"),
    ],
)
def test_a_guest_is_composed_with_what_it_needs_and_may_have(
    run: Run, kind: Kind, imports: tuple[str, ...], outbound: tuple[str, ...], adapter: Adapter
) -> None:
    assert adapter_of(seen(kind, (), imports), run, outbound) == adapter
