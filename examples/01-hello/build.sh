#!/bin/sh
# pip install ziglang
cd "$(dirname "$0")" && exec python3 -m ziglang cc -target wasm32-wasi -Oz -s hello.c -o "${1:-hello.wasm}"
