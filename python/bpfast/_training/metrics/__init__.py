"""The metrics that `fit` and `evaluate` compute."""
