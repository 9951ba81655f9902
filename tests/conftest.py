"""What holds for every test: a busy machine is no reason to fail, so drawing examples has no deadline."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile("wherry", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.load_profile("wherry")
