"""The Task service of a shim."""
