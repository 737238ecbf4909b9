"""Sums over shards in a fixed order."""
