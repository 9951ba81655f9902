#!/bin/sh
cd "$(dirname "$0")" && PYTHONPATH=../.. exec python3 -m examples.toolchain c-http outbound.c "${1:-outbound.wasm}"
