"""Messages of containerd's interfaces: our `.proto` files and what `make proto` generates from them.

Numbers, names and packages are containerd's; a file has only the messages and fields that the shim reads or writes:
unknown fields are skipped by whoever reads. The `_pb2` modules are generated and committed: a node has no compiler.
"""
