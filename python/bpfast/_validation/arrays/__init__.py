"""Validation of arrays and sparse matrices."""
