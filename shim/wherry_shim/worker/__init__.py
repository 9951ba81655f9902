"""The process of a Wasm container: from a view of the node to a view of what was granted, and then the guest."""
