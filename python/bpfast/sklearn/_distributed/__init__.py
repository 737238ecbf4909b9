"""Trainings of the estimators on the workers of a Dask cluster."""
