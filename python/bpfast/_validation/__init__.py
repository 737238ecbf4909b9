"""Validation of arguments: arrays, sparse matrices, numbers, names."""
