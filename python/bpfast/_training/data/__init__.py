"""Sources of the examples of a step."""
