"""Cost, errors and gradients, whose cost may be a callable: as methods, functions and equations."""
