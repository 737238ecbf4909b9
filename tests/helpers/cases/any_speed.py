"""Settings of Hypothesis for a machine of any speed."""

from hypothesis import HealthCheck, settings

# A busy machine may take seconds for what takes milliseconds alone.
ANY_SPEED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
