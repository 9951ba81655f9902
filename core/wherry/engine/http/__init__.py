"""Serving HTTP: one supervisor, a worker process a core, a fresh instance for each request."""
