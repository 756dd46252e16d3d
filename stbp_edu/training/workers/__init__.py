"""A pool of worker processes that share arrays."""
