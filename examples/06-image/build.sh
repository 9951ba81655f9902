#!/bin/sh
cd "$(dirname "$0")" && PYTHONPATH=../.. exec python3 -m examples.toolchain c-command image.c "${1:-image.wasm}"
