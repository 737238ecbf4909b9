"""The steps of a training on shards, which the driver does."""
