"""`python -m wherry_agent` is `wherry-agent`."""

from wherry_agent.cli import main

main()
