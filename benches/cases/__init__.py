"""The cases, their data and their expected results."""
