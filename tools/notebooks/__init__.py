"""Executes the notebooks, and writes their numbers and times."""
