"""The solvers of the estimators: mini-batches, and L-BFGS."""
