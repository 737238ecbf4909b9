"""Calls, and invalid arguments for them."""
