"""Hypothesis profiles: a quick one by default, the full one with STBP_EXAMPLES=full."""

import os

from hypothesis import HealthCheck, settings

COMMON = {
    "deadline": None,  # machines are shared: no test asserts a time
    "derandomize": True,  # the same examples at every run
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large],
}
settings.register_profile("quick", max_examples=25, **COMMON)
settings.register_profile("full", max_examples=250, **COMMON)
settings.load_profile(os.environ.get("STBP_EXAMPLES", "quick"))
