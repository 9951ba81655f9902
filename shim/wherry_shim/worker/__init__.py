"""The process of a Wasm container: from a root that sees the node to one that sees what it was granted, then the guest."""
