"""Random calls of the Python API, and files that are almost right."""
