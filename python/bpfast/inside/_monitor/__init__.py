"""Quantities over a training."""
