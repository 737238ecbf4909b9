"""The methods of the estimators."""
