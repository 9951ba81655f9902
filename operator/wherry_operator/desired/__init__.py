"""What should be: pure functions from a WasmApp and its artifact to Kubernetes objects, one module for each kind.

No client, no clock, no environment; the command line uses it offline. Builders return fresh data.
"""
