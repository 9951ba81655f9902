"""`python -m wherry_shim.node`: the same as `wherry-node`."""

from wherry_shim.node.cli import main

main()
