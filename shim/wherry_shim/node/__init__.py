"""The node's set-up: Wherry put on a Kubernetes node and taken off again, without a trace."""
