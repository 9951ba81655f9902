#!/bin/sh
cd "$(dirname "$0")" && PYTHONPATH=../.. exec python3 -m examples.toolchain javascript outbound.js "${1:-build/outbound.wasm}"
