#!/bin/sh
cd "$(dirname "$0")" && PYTHONPATH=../.. exec python3 -m examples.toolchain javascript hello.js "${1:-build/hello.wasm}"
