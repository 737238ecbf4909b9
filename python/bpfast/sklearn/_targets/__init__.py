"""y of the estimators: labels and targets, validation examples and scores."""
