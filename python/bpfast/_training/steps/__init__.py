"""The steps of an epoch."""
