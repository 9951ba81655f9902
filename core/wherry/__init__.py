"""Wherry's domain, in layers that only look down.

engine    running a plan; the only importer of wasmtime
plan      what will run: RunPlan and Ending, the narrow waist            (pure)
oci       where bytes come from: references, layouts, registries, signatures
wasm      what bytes are: kind, WASI version, imports and exports        (pure)
spec      what the user wrote: WasmApp                                   (pure)
errors    what can go wrong, drawn as a tree
"""

__version__ = "0.1.0"
