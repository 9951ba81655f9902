#!/bin/sh
cd "$(dirname "$0")" && PYTHONPATH=../.. exec python3 -m examples.toolchain go hello.go "${1:-build/hello.wasm}"
