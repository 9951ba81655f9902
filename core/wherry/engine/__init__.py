"""Running a plan. The only package that imports wasmtime."""
