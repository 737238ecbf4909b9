"""The data of a distributed training in shards, and what is computed of one."""
