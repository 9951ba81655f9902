"""What bytes are: Wasm modules and components, read without compiling them. No I/O here."""
