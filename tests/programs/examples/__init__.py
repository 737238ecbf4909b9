"""Programs whose writes to a file fail or are killed."""
