"""Benchmarks: ratios measured in one run, and the records that the site's pages print."""
