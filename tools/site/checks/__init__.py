"""Checks and measurements of the built site."""
