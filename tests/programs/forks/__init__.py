"""Programs that fork."""
