"""Optimizers and the average of the weights."""
