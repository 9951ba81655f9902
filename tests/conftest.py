"""What holds for every test, however the tests were started and however busy the machine is."""

from __future__ import annotations

import signal

from hypothesis import HealthCheck, settings

settings.register_profile("wherry", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.load_profile("wherry")

# A shell starts background jobs with SIGINT ignored, which programs inherit: tests that interrupt would wait for ever.
signal.signal(signal.SIGINT, signal.default_int_handler)
