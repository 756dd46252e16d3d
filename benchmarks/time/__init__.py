"""The experiment on tasks of time: which change lets runs learn that fail without it."""
