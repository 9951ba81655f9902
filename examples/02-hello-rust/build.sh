#!/bin/sh
cd "$(dirname "$0")" && PYTHONPATH=../.. exec python3 -m examples.toolchain rust hello.rs "${1:-hello.wasm}"
