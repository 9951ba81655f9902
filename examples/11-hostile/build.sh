#!/bin/sh
cd "$(dirname "$0")" && PYTHONPATH=../.. exec python3 -m examples.toolchain c-http hostile.c "${1:-hostile.wasm}"
