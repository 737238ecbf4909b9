"""Programs that are interrupted by signals."""
