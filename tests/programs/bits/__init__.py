"""Programs that print hashes of all results."""
