"""Derivatives beyond the gradient of a batch, in plain Python."""
