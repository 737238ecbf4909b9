"""Full-batch training by minimisers: SciPy's, and Levenberg-Marquardt."""
