"""Programs that start threads."""
