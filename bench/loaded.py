"""`python -m bench.loaded CODE COUNT...`: one process that loads as many apps as asked, each from a file of its own and
each run once; prints a line `count KiB` of the process's memory for each count."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from ctypes import addressof, byref, c_void_p
from pathlib import Path

from bench.servers import pss_of
from wherry.engine import capi
from wherry.engine.code import load
from wherry.engine.config import Build, Engine, Pooling, new_engine
from wherry.plan.model import Limits

NOWHERE = b"/dev/null"


def main() -> None:
    code, *counts = sys.argv[1:]
    engine = new_engine(Build(), Pooling(Limits().concurrency, Limits().memory))
    linker = capi.linker_new(engine.pointer)
    assert not capi.linker_define_wasi(linker)
    loaded = 0
    with tempfile.TemporaryDirectory() as folder:
        for count in map(int, counts):
            while loaded < count:
                file = Path(folder) / f"{loaded}.cwasm"
                shutil.copyfile(code, file)
                run_once(engine, linker, file)
                loaded += 1
            print(count, pss_of(os.getpid()), flush=True)


def run_once(engine: Engine, linker: int, file: Path) -> None:
    """Load one app, keep it, and serve one request with it."""
    pre, trap = c_void_p(), c_void_p()
    assert not capi.linker_instantiate_pre(linker, load(engine, file, "module").pointer, byref(pre))
    wasi = capi.wasi_config_new()
    capi.wasi_config_set_stdout_file(wasi, NOWHERE)
    store = capi.store_new(engine.pointer, None, None)
    context = capi.store_context(store)
    capi.context_set_epoch_deadline(context, 1)
    assert not capi.context_set_wasi(context, wasi)
    instance, start = capi.Instance(), capi.Extern()
    assert not capi.instance_pre_instantiate(pre, context, instance, byref(trap))
    assert capi.instance_export_get(context, instance, b"_start", 6, byref(start))
    if error := capi.func_call(context, addressof(start) + capi.EXTERN_PAYLOAD, None, 0, None, 0, byref(trap)):
        capi.error_delete(error)
    capi.store_delete(store)


if __name__ == "__main__":
    main()
