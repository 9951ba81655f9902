"""containerd's Task service: the state of each container (pure), and what is done to it."""
